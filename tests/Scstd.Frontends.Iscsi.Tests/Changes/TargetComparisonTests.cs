using Scstd.Core;
using Scstd.Frontends.Iscsi.Login;

namespace Scstd.Frontends.Iscsi.Tests.Changes;

public sealed class TargetComparisonTests
{
    [Fact]
    public void What_says_the_same_is_the_same()
    {
        Assert.True(TargetComparison.AreSame(Some(), Some()));
    }

    [Fact]
    public void Every_difference_counts()
    {
        TargetOptions a = Some();
        TargetOptions[] others =
        [
            a with { Alias = "other" },
            a with { QueueDepth = 7 },
            a with { PortalGroupTags = [1, 3] },
            a with { Timers = new TimerOptions { NopIntervalMs = 1 } },
            a with { Authentication = new ChapSettings([new ChapAccount("user", "another one of twelve")]) },
            a with { Negotiation = a.Negotiation with { DataDigests = [Digest.Crc32c] } },
            a with { Negotiation = a.Negotiation with { InitialR2T = true } },
            a with { Luns = new LunMap([], Scsi.LunAddressing.Flat) },
            a with { Groups = [] },
            a with { Groups = [a.Groups[0] with { Initiators = ["iqn.*", "!iqn.2026-11.test:x"] }] },
            a with { Groups = [a.Groups[0] with { Authentication = ChapSettings.None }] },
            a with { Redirect = new RedirectOptions("[::1]:3260") },
        ];
        Assert.All(others, other => Assert.False(TargetComparison.AreSame(a, other)));
    }

    private static TargetOptions Some() => new()
    {
        Name = "iqn.2026-11.test:disk",
        PortalGroupTags = [1, 2],
        Groups = [new AccessGroup { Name = "all", Initiators = ["iqn.*"], Luns = new LunMap([]) }],
        Luns = new LunMap([]),
        Authentication = new ChapSettings([new ChapAccount("user", "a secret of twelve")]),
        Negotiation = new ParameterLimits(),
        Timers = new TimerOptions(),
    };
}
