using Scstd.Linux;

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
        Unique(_daemon.Devices.Select(device => device.Serial)
            .Concat(_daemon.Libraries.Select(library => library.Serial)).OfType<Word>(), "serial number",
            StringComparer.Ordinal);
        Unique(_daemon.Devices.Where(device => device.Path is not null)
            .Select(device => new Word(_surroundings.FullPath(device.Path!.Value.Text), device.Path.Value.Position)),
            "path", StringComparer.Ordinal);
        foreach (DeviceSection unused in _daemon.Devices.Where(device => !IsNamedByLun(device.Name.Text)))
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
        Threshold(device, store);
        if (hasMedium && device.Path is { } path)
            Medium(device, path, _surroundings.FullPath(path.Text));
    }

    private void Threshold(DeviceSection device, string store)
    {
        if (!device.Has("thin_threshold"))
            return;
        if (device.Store is StoreKind.Block or StoreKind.Null)
        {
            _problems.Add(device.PositionOf("thin_threshold"),
                $"'thin_threshold' means nothing to a device whose store is {store}: how much room it has cannot be "
                + "measured");
        }
        else if (!device.IsThin)
        {
            _problems.Add(device.PositionOf("thin_threshold"),
                "'thin_threshold' means nothing to a device that is not thin; add 'thin: yes'");
        }
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
        PathKind? kind = PathProbe.KindOf(full);
        PathKind wanted = device.Store == StoreKind.File ? PathKind.Regular : PathKind.BlockDevice;
        if (kind is not null && kind != wanted)
        {
            _problems.Add(path.Position, device.Store == StoreKind.File
                ? $"expected a regular file, found {Word(kind.Value)} {full}"
                : $"expected a block device, found {Word(kind.Value)} {full}");
            return;
        }
        Opening(device, path, full);
        if (device.Store == StoreKind.File)
            Size(device, path, full);
    }

    private static string Word(PathKind kind) => kind switch
    {
        PathKind.Regular => "the regular file",
        PathKind.BlockDevice => "the block device",
        PathKind.Directory => "the directory",
        _ => "something else,",
    };

    private void Size(DeviceSection device, Word path, string full)
    {
        if (PathProbe.LengthOf(full) is not { } length)
            return;
        UInt128? wantedBytes = device.Blocks is { } blocks ? (UInt128)blocks * (uint)device.BlockBytes
            : (UInt128?)device.SizeBytes;
        if (wantedBytes > (ulong)length)
        {
            // Only who serves it knows whether it is to grow.
            _warnings.Add(new Problem(device.PositionOf(device.Blocks is null ? "size" : "blocks"),
                $"the file {full} has {length} bytes, fewer than {wantedBytes}: a reload lets the file of a device "
                + "that is served grow, a start refuses one that is too short"));
        }
        else if (wantedBytes is null && length % device.BlockBytes != 0)
        {
            _problems.Add(path.Position, $"the file {full} has {length} bytes, which is not a whole number of blocks "
                + $"of {device.BlockBytes}; a 'size' says how many are served");
        }
        else if (wantedBytes is null && length < device.BlockBytes)
        {
            _problems.Add(path.Position, $"the file {full} has {length} bytes, not even one block");
        }
    }

    /// <summary>What the daemon would be told when it opens it. Whether it may depends on who asks: who checks may be
    /// another than the daemon's user.</summary>
    private void Opening(DeviceSection device, Word path, string full)
    {
        if (PathProbe.Refusal(full, writes: !device.IsReadOnly) is { } refusal)
        {
            string uses = device.IsReadOnly ? "read" : "read and write";
            _warnings.Add(new Problem(path.Position, refusal.Error == ErrorNumber.ReadOnlyFileSystem
                ? $"{full} is on a read-only file system: a start refuses it without 'read_only: yes'"
                : $"{full}: user {Environment.UserName}, who looks at it now, may not {uses} it; the daemon must"));
        }
        else if (device.Io == StoreIo.Direct && PathProbe.RefusesDirect(full))
        {
            _problems.Add(device.PositionOf("io"), $"the file system of {full} does not know direct I/O");
        }
    }
}
