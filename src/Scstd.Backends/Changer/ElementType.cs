namespace Scstd.Backends.Changer;

/// <summary>ELEMENT TYPE CODE of SMC-3: what a place in the library is.</summary>
public enum ElementType : byte
{
    /// <summary>In a CDB: of any type.</summary>
    All = 0,

    /// <summary>The robot.</summary>
    MediumTransport = 1,

    /// <summary>A slot.</summary>
    Storage = 2,

    /// <summary>A mail slot, which an operator can reach.</summary>
    ImportExport = 3,

    /// <summary>A drive.</summary>
    DataTransfer = 4,
}
