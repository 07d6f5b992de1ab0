using Scstd.Backends.Changer;
using Scstd.Backends.Tape;

namespace Scstd.Backends.Tests.Changer;

/// <summary>A drive that holds a cartridge, takes its time if the test wants so, and remembers what was
/// asked.</summary>
internal sealed class FakeBay(int number) : IDriveBay
{
    private readonly Queue<Action> _held = new();
    private readonly List<string> _calls = [];

    public string Vendor => "ACME";

    public string Product => "Drive";

    public string SerialNumber { get; init; } = $"D{number:D4}";

    public bool IsRemovalPrevented { get; set; }

    public bool IsLoaded { get; set; }

    public FakeMedium? Medium { get; private set; }

    /// <summary>Calls end by <see cref="Settle"/>.</summary>
    public bool Holds { get; set; }

    public IReadOnlyList<string> Calls => _calls;

    public void Insert(ITapeMedium medium, bool load, Action done)
    {
        _calls.Add($"insert {medium.Description.Barcode}");
        Assert.Null(Medium);
        Medium = (FakeMedium)medium;
        Answer(() =>
        {
            IsLoaded = load;
            done();
        });
    }

    public Action Remove(RemovalTerms terms, Action<DriveRemoval> done)
    {
        _calls.Add("remove");
        bool isGivenUp = false;
        Answer(() =>
        {
            if (isGivenUp)
            {
                done(new DriveRemoval(RemovalOutcome.GivenUp));
            }
            else if (IsRemovalPrevented || (terms == RemovalTerms.UnlessPreventedOrLoaded && IsLoaded))
            {
                done(new DriveRemoval(RemovalOutcome.Refused));
            }
            else
            {
                FakeMedium? medium = Medium;
                bool wasLoaded = IsLoaded;
                Medium = null;
                IsLoaded = false;
                done(new DriveRemoval(RemovalOutcome.Taken, medium, wasLoaded));
            }
        });
        return () => isGivenUp = true;
    }

    /// <summary>Its cartridge is closed, and it has nothing to give.</summary>
    public void CloseAsFailed(FakeShelf shelf)
    {
        Assert.True(shelf.Open.Remove(Medium!));
        Medium = null;
        IsLoaded = false;
    }

    /// <summary>Ends the oldest call that is held.</summary>
    public void Settle() => _held.Dequeue()();

    private void Answer(Action answer)
    {
        if (Holds)
            _held.Enqueue(answer);
        else
            answer();
    }
}
