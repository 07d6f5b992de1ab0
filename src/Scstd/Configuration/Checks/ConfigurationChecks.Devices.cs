namespace Scstd.Configuration;

internal sealed partial class ConfigurationChecks
{
    private void Devices()
    {
        foreach (DeviceSection device in _daemon.Devices)
        {
            // What store it is decides what it needs: without a right one there is nothing to say.
            if (device.Has("store") && device.IsStoreKnown)
                Device(device);
        }
        Unique(_daemon.Devices.Select(device => device.Serial).OfType<Word>(), "serial number", StringComparer.Ordinal);
        Unique(_daemon.Devices.Where(device => device.Path is not null)
            .Select(device => new Word(_surroundings.FullPath(device.Path!.Value.Text), device.Path.Value.Position)),
            "path", StringComparer.Ordinal);
        foreach (DeviceSection unused in _daemon.Devices.Where(device => !IsUsed(device)))
            _warnings.Add(new Problem(unused.Name.Position, $"device '{unused.Name}' has no LUN"));
    }

    private void Device(DeviceSection device)
    {
        bool hasMedium = device.Store is StoreKind.File or StoreKind.Block;
        string store = device.Store.ToString().ToLowerInvariant();
        if (hasMedium && !device.Has("path"))
        {
            _problems.AddMissing(device.Position,
                $"device '{device.Name}' lacks the key 'path', which a {store} needs");
        }
        foreach (string key in hasMedium ? [] : (string[])["path", "io", "write_cache"])
        {
            if (device.Has(key))
                _problems.Add(device.PositionOf(key), $"'{key}' means nothing to a device whose store is {store}");
        }
        bool hasSize = device.Has("size") || device.Has("blocks");
        if (device.Has("size") && device.Has("blocks"))
            _problems.Add(device.PositionOf("blocks"), "'size' and 'blocks' exclude each other");
        if (!hasMedium && !hasSize)
            _problems.AddMissing(device.Position, $"device '{device.Name}' lacks the key 'size', which {store} needs");
        if (device.PhysicalBlockBytes < device.BlockBytes)
        {
            _problems.Add(device.PositionOf("physical_block_size"),
                $"a physical block of {device.PhysicalBlockBytes} bytes cannot hold a logical one of "
                + $"{device.BlockBytes}");
        }
        if (device.SizeBytes % device.BlockBytes > 0)
        {
            _problems.Add(device.PositionOf("size"),
                $"{device.SizeBytes} bytes are not a whole number of blocks of {device.BlockBytes}");
        }
        if (hasMedium && device.Path is { } path)
            Medium(device, path, _surroundings.FullPath(path.Text));
    }

    private void Medium(DeviceSection device, Word path, string full)
    {
        if (Directory.Exists(full))
        {
            _problems.Add(path.Position, $"expected a file, found the directory {full}");
            return;
        }
        if (!File.Exists(full))
        {
            if (device.Store == StoreKind.Block)
                _problems.Add(path.Position, $"there is no block device {full}");
            else if (!device.Has("size") && !device.Has("blocks"))
                _problems.Add(path.Position, $"there is no file {full}; with a 'size' it would be created");
            else if (!Directory.Exists(System.IO.Path.GetDirectoryName(full)))
                _problems.Add(path.Position, $"there is no directory to create the file {full} in");
            return;
        }
        if (device.Store != StoreKind.File)
            return;
        if (LengthOf(full) is not { } length)
            return;
        UInt128? wanted = device.Blocks is { } blocks ? (UInt128)blocks * (uint)device.BlockBytes
            : (UInt128?)device.SizeBytes;
        if (wanted > (ulong)length)
        {
            // Only who serves it knows whether it is to grow.
            _warnings.Add(new Problem(device.PositionOf(device.Blocks is null ? "size" : "blocks"),
                $"the file {full} has {length} bytes, fewer than {wanted}: a reload lets the file of a device that is "
                + "served grow, a start refuses one that is too short"));
        }
        else if (wanted is null && length % device.BlockBytes != 0)
        {
            _problems.Add(path.Position, $"the file {full} has {length} bytes, which is not a whole number of blocks of "
                + $"{device.BlockBytes}; a 'size' says how many are served");
        }
        else if (wanted is null && length < device.BlockBytes)
        {
            _problems.Add(path.Position, $"the file {full} has {length} bytes, not even one block");
        }
    }

    /// <summary>Of the file itself, and not of a symbolic link to it; null: it cannot be told.</summary>
    private static long? LengthOf(string path)
    {
        try
        {
            return File.ResolveLinkTarget(path, returnFinalTarget: true) is { } target
                ? new FileInfo(target.FullName).Length : new FileInfo(path).Length;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private bool IsUsed(DeviceSection device) =>
        _daemon.Targets.SelectMany(target => target.Luns.Concat(target.Groups.SelectMany(group => group.Luns)))
            .Any(lun => lun.Device.Text == device.Name.Text);
}
