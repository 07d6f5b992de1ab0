using Scstd.Backends;
using Scstd.Backends.Changer;
using Scstd.Backends.Tape;
using Scstd.Configuration;
using Scstd.Core;
using Scstd.Libraries;
using Scstd.Linux;
using Scstd.Scsi;

namespace Scstd.Composition;

/// <summary>Tape libraries: opened at the start, closed at the end, and never changed in between.</summary>
internal sealed partial class Server
{
    private readonly List<ServedLibrary> _libraries = [];

    internal IReadOnlyList<ServedLibrary> Libraries => _libraries;

    /// <summary>All that is served: the devices, and what libraries consist of.</summary>
    internal IReadOnlyList<ServedUnit> ServedUnits => [.. Devices, .. _libraries.SelectMany(library => library.Units)];

    private void OpenLibraries(DaemonSection daemon, Plan plan)
    {
        foreach (LibrarySection section in daemon.Libraries)
        {
            try
            {
                _libraries.Add(OpenLibrary(section, plan));
            }
            catch (Exception exception) when (ServerStartException.Explains(exception) is { } why)
            {
                throw new ServerStartException(
                    $"{daemon.At(section.Name.Position)}library {section.Name}: {why}", exception);
            }
        }
    }

    private ServedLibrary OpenLibrary(LibrarySection section, Plan plan)
    {
        string directory = Path.GetFullPath(section.Cartridges.Directory.Text, _folder);
        Directory.CreateDirectory(directory);
        var shelf = new DirectoryShelf(directory);
        Stock(section, shelf);
        var told = new LibraryLog(section.Name.Text, _log);
        var drives = new List<ServedDrive>();
        try
        {
            foreach (DrivesSection kind in section.EachDrive)
                drives.Add(OpenDrive(section, kind, drives.Count + 1, plan, told));
            Reactor[] reactors = [.. _lanes.Select(lane => lane.Reactor)];
            ChangerOptions options = Plan.Changer(section);
            UnitState? state = _states?.Of(DerivedIdentity.LocallyAssignedNaa(options.SerialNumber!));
            ChangerBackend changer = ChangerBackend.Open(
                options, shelf, [.. drives.Select(one => new DriveBay(one.Backend, one.Drive))], reactors, state,
                told.Failed);
            var library = new ServedLibrary(
                section, changer, Serve(section.Name.Text, changer, state, plan), drives);
            _log.Information(
                "Library {Library:l}: {Slots} slots, {Drives} drives, {Cartridges} cartridges in {Where:l}",
                library.Name, section.Slots, drives.Count, changer.Library.Elements.Count(one => one.IsFull),
                directory);
            return library;
        }
        catch
        {
            drives.ForEach(drive => drive.Backend.Dispose());
            throw;
        }
    }

    /// <summary>A directory without cartridges gets those that are to be made.</summary>
    private void Stock(LibrarySection section, DirectoryShelf shelf)
    {
        TapeGeneration firstDrive = section.EachDrive.First().Generation;
        if (section.Cartridges.Create == 0 || shelf.List().Count > 0)
            return;
        byte density = TapeDensity.OfGeneration((int)(section.Cartridges.Generation ?? firstDrive))!.Code;
        foreach (string barcode in section.Cartridges.NewBarcodes(firstDrive))
            shelf.Create(new NewCartridge(barcode, density, (ulong?)section.Cartridges.CapacityBytes));
        _log.Information("Library {Library:l}: {Count} cartridges are made", section.Name.Text,
            section.Cartridges.Create);
    }

    private ServedDrive OpenDrive(LibrarySection section, DrivesSection kind, int number, Plan plan, LibraryLog told)
    {
        string name = section.DriveName(number);
        var backend = new TapeBackend(Plan.Drive(section, kind, number), [.. _lanes.Select(lane => lane.Reactor)])
        {
            Failed = failure => told.Failed(name, failure),
        };
        ServedUnit unit = Serve(name, backend, _states?.Of(backend.Identity), plan);
        return new ServedDrive(backend, unit, new TapeDrive(backend, unit.Unit));
    }

    private ServedUnit Serve(string name, IBackend backend, UnitState? state, Plan plan)
    {
        IReadOnlyList<IExecutor> executors = Executors();
        var unit = new LogicalUnit(name, backend, executors, homeIndex: _opened++ % executors.Count, state);
        state?.TellWhatCameBack(unit);
        unit.BeginWith(plan.PortGroups(name));
        unit.PortGroupStatesSet = states => FollowPortGroups(unit, states);
        return new ServedUnit(name, backend, unit);
    }

    /// <summary>What lay in drives is put in again, when it is served already: initiators are told to wait.</summary>
    private void StartLibraries()
    {
        foreach (ServedLibrary library in _libraries)
            _ = StartAsync(library);
    }

    private async Task StartAsync(ServedLibrary library)
    {
        try
        {
            await library.Changer.StartAsync(library.ChangerUnit.Unit, _stopping.Token);
        }
        catch (OperationCanceledException)
        {
            // The daemon stops: what lay in drives lies in drives.
        }
#pragma warning disable CA1031 // Whatever it is, the rest of the daemon goes on.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _log.Error(exception, "Library {Library:l} cannot begin", library.Name);
        }
    }
}
