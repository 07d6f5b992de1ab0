using Scstd.Linux;

namespace Scstd.Backends.Tests.Disk;

/// <summary>Errors of writing back as Linux tells them: each open file hears once of what was recorded since it heard
/// last, and of two calls on one that run together only one does (errseq_t).</summary>
internal sealed class WriteErrors
{
    private readonly Dictionary<FileHandle, int> _heard = [];
    private int _recorded;
    private int _error;

    /// <summary>Pages could not be written, and are held for clean from now on.</summary>
    public void Record(int error) => (_error, _recorded) = (error, _recorded + 1);

    /// <summary>The errno, or 0.</summary>
    public int Take(FileHandle file)
    {
        bool isNew = _heard.GetValueOrDefault(file) < _recorded;
        _heard[file] = _recorded;
        return isNew ? _error : 0;
    }

    /// <summary>What brings data to stable storage takes the error of its open file.</summary>
    public long? Run(FileOperation operation)
    {
        bool isStable = operation.Kind is FileOperationKind.Flush or FileOperationKind.WriteThrough;
        return isStable && Take(operation.File!) is > 0 and int error ? -error : RealFile.Run(operation);
    }
}
