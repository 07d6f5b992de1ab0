namespace Scstd.Backends.Tape;

/// <summary>What a drive has done: since it was composed, since the cartridge came, and over the cartridge's life. The
/// last is kept with the cartridge. Written alone on the unit, read by anybody.</summary>
internal sealed class TapeCounts
{
    private const string LoadsName = "loads";
    private const string WrittenName = "bytes written";
    private const string ReadName = "bytes read";
    private const string WriteErrorsName = "unrecovered write errors";
    private const string ReadErrorsName = "unrecovered read errors";
    /// <summary>VOLUME CHANGE REFERENCE (SPC-4 §7.4.2.2): by it a host knows again what it knew. So what follows one
    /// that was told is another number, which is on the cartridge before what it stands for.</summary>
    public const string ChangesName = "volume change reference";

    private bool _hasChanged;

    private readonly Traffic _device = new();
    private volatile Traffic _mount = new();
    private volatile Traffic _lastMount = new();
    private volatile Life _life = new(0, 0, 0, 0, 0, 0);

    /// <summary>Since the drive was composed.</summary>
    public Traffic Device => _device;

    /// <summary>Of cartridges, since the drive was composed.</summary>
    public ulong Loads { get; private set; }

    /// <summary>Since the cartridge was loaded.</summary>
    public Traffic Mount => _mount;

    /// <summary>Of the cartridge before.</summary>
    public Traffic LastMount => _lastMount;

    /// <summary>Of the cartridge.</summary>
    public Life Volume => _life;

    /// <summary>A cartridge is loaded: its life goes on.</summary>
    public void Loaded(IDictionary<string, ulong> kept)
    {
        Loads++;
        _lastMount = _mount;
        _mount = new Traffic();
        _life = new Life(
            Of(kept, LoadsName) + 1, Of(kept, WrittenName), Of(kept, ReadName), Of(kept, WriteErrorsName),
            Of(kept, ReadErrorsName), Of(kept, ChangesName));
        _hasChanged = false;
        kept[LoadsName] = _life.Loads;
    }

    public void KeepIn(IDictionary<string, ulong> kept)
    {
        Life life = _life;
        kept[WrittenName] = life.BytesWritten;
        kept[ReadName] = life.BytesRead;
        kept[WriteErrorsName] = life.WriteErrors;
        kept[ReadErrorsName] = life.ReadErrors;
        kept[ChangesName] = life.Changes;
    }

    /// <summary>Since it was loaded, or since the reference was told.</summary>
    public bool HasChanged => _hasChanged;

    /// <summary>What is on the cartridge will be another.</summary>
    public void Change()
    {
        _hasChanged = true;
        _life = _life with { Changes = _life.Changes + 1 };
    }

    /// <summary>The next change is to be told from what was until now.</summary>
    public void ReferenceTold() => _hasChanged = false;

    /// <summary>False: no error had been counted.</summary>
    public bool ForgetWriteErrors()
    {
        bool had = _device.WriteErrors > 0;
        _device.WriteErrors = 0;
        return had;
    }

    public bool ForgetReadErrors()
    {
        bool had = _device.ReadErrors > 0;
        _device.ReadErrors = 0;
        return had;
    }

    /// <summary>Records: their bytes, and what they took of the capacity.</summary>
    public void Wrote(ulong lengthBytes, ulong storedBytes)
    {
        _device.AddWritten(lengthBytes, storedBytes);
        _mount.AddWritten(lengthBytes, storedBytes);
        _life = _life with { BytesWritten = _life.BytesWritten + storedBytes };
    }

    public void Read(ulong lengthBytes, ulong storedBytes)
    {
        _device.AddRead(lengthBytes, storedBytes);
        _mount.AddRead(lengthBytes, storedBytes);
        _life = _life with { BytesRead = _life.BytesRead + storedBytes };
    }

    public void WriteFailed()
    {
        _device.WriteErrors++;
        _mount.WriteErrors++;
        _life = _life with { WriteErrors = _life.WriteErrors + 1 };
    }

    public void ReadFailed()
    {
        _device.ReadErrors++;
        _mount.ReadErrors++;
        _life = _life with { ReadErrors = _life.ReadErrors + 1 };
    }

    private static ulong Of(IDictionary<string, ulong> kept, string name) =>
        kept.TryGetValue(name, out ulong value) ? value : 0;

    /// <summary>Over the life of a cartridge; bytes as they are stored.</summary>
    internal sealed record Life(
        ulong Loads, ulong BytesWritten, ulong BytesRead, ulong WriteErrors, ulong ReadErrors, ulong Changes);

    internal sealed class Traffic
    {
        public ulong FromInitiators { get; private set; }

        public ulong ToMedium { get; private set; }

        public ulong FromMedium { get; private set; }

        public ulong ToInitiators { get; private set; }

        public ulong WriteErrors { get; set; }

        public ulong ReadErrors { get; set; }

        public void AddWritten(ulong lengthBytes, ulong storedBytes)
        {
            FromInitiators += lengthBytes;
            ToMedium += storedBytes;
        }

        public void AddRead(ulong lengthBytes, ulong storedBytes)
        {
            ToInitiators += lengthBytes;
            FromMedium += storedBytes;
        }
    }
}
