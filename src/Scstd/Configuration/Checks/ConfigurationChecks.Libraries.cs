using Scstd.Linux;

namespace Scstd.Configuration;

internal sealed partial class ConfigurationChecks
{
    private void Libraries()
    {
        foreach (LibrarySection library in _daemon.Libraries)
            Library(library);
        Unique(_daemon.Libraries.Where(library => library.Cartridges.Directory.Text is not null)
            .Select(library => new Word(
                Path.TrimEndingDirectorySeparator(_surroundings.FullPath(library.Cartridges.Directory.Text)),
                library.Cartridges.Directory.Position)),
            "directory", StringComparer.Ordinal);
        // A drive can be called as a device or another library is.
        var taken = new Dictionary<string, Word>();
        foreach (DeviceSection device in _daemon.Devices)
            taken.TryAdd(device.Name.Text, device.Name);
        foreach (LibrarySection library in _daemon.Libraries.DistinctBy(library => library.Name.Text))
        {
            foreach (string name in library.UnitNames.Where(name => !taken.TryAdd(name, library.Name)))
            {
                _problems.Add(library.Name.Position, $"library '{library.Name}' makes a device '{name}', and there is "
                    + $"one already, on line {taken[name].Position.Line}");
            }
        }
    }

    private void Library(LibrarySection library)
    {
        int drives = library.EachDrive.Count();
        if (drives > LibrarySection.MostDrives)
        {
            _problems.Add(library.PositionOf("drives"),
                $"{drives} drives are more than a library can have ({LibrarySection.MostDrives})");
        }
        else if (library.Personality.Judge(library.Slots, library.ImportExport, drives) is { } problem)
        {
            _problems.Add(library.PositionOf(library.Has("slots") ? "slots" : "personality"), problem);
        }
        if (!library.UnitNames.Any(IsNamedByLun))
            _warnings.Add(new Problem(library.Name.Position, $"library '{library.Name}' has no LUN"));
        Cartridges(library, library.Cartridges);
    }

    private void Cartridges(LibrarySection library, CartridgesSection cartridges)
    {
        if (cartridges.Create > library.Slots)
        {
            _problems.Add(cartridges.PositionOf("create"),
                $"{cartridges.Create} cartridges do not fit into {library.Slots} slots");
        }
        if (cartridges.Create > cartridges.BarcodesLeft)
        {
            _problems.Add(cartridges.PositionOf(cartridges.Has("barcodes") ? "barcodes" : "create"),
                $"from {cartridges.Barcodes} on there are {cartridges.BarcodesLeft} barcodes, fewer than the "
                + $"{cartridges.Create} cartridges that are to be made");
        }
        if (cartridges.Generation is { } generation && !library.Drives.Any(kind => kind.Writes(generation)))
        {
            _warnings.Add(new Problem(cartridges.PositionOf("generation"),
                $"no drive of library '{library.Name}' writes cartridges of lto-{(int)generation}"));
        }
        if (cartridges.Directory.Text is not null)
            Folder(cartridges.Directory, _surroundings.FullPath(cartridges.Directory.Text));
    }

    private void Folder(Word directory, string full)
    {
        PathKind? kind = PathProbe.KindOf(full);
        if (kind is PathKind.Missing
            && !Directory.Exists(Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(full))))
            _problems.Add(directory.Position, $"there is no directory to make the directory {full} in");
        else if (kind is not (null or PathKind.Missing or PathKind.Directory))
            _problems.Add(directory.Position, $"expected a directory, found {Word(kind.Value)} {full}");
        else if (kind is PathKind.Directory && PathProbe.Refusal(full, writes: true) is not null)
        {
            _warnings.Add(new Problem(directory.Position, $"{full}: user {Environment.UserName}, who looks at it now, "
                + "may not write there; the daemon must"));
        }
    }

    private bool IsNamedByLun(string device) =>
        _daemon.Targets.SelectMany(target => target.Luns.Concat(target.Groups.SelectMany(group => group.Luns)))
            .Any(lun => lun.Device.Text == device);
}
