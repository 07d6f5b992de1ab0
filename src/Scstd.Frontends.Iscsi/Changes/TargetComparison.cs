using Scstd.Frontends.Iscsi.Login;

namespace Scstd.Frontends.Iscsi;

/// <summary>Whether two descriptions of a target say the same, so that a change elsewhere does not disturb who is just
/// logging in to it.</summary>
internal static class TargetComparison
{
    public static bool AreSame(TargetOptions a, TargetOptions b) =>
        // What has no lists inside compares itself.
        Plain(a) == Plain(b)
        && a.PortalGroupTags.SequenceEqual(b.PortalGroupTags)
        && a.Luns.IsSameAs(b.Luns)
        && AreSame(a.Authentication, b.Authentication)
        && AreSame(a.Negotiation, b.Negotiation)
        && a.Groups.Count == b.Groups.Count
        && a.Groups.Zip(b.Groups).All(pair => AreSame(pair.First, pair.Second));

    private static TargetOptions Plain(TargetOptions options) => options with
    {
        PortalGroupTags = [],
        Groups = [],
        Luns = Core.LunMap.Empty,
        Authentication = ChapSettings.None,
        Negotiation = NoLimits,
    };

    private static ParameterLimits NoLimits { get; } = new();

    private static bool AreSame(AccessGroup a, AccessGroup b) =>
        a.Name == b.Name
        && a.Initiators.SequenceEqual(b.Initiators)
        && a.Luns.IsSameAs(b.Luns)
        && a.Limit?.CommandsPerSecond == b.Limit?.CommandsPerSecond
        && a.Limit?.BytesPerSecond == b.Limit?.BytesPerSecond
        && (a.Authentication is null) == (b.Authentication is null)
        && (a.Authentication is null || AreSame(a.Authentication, b.Authentication!));

    private static bool AreSame(ParameterLimits a, ParameterLimits b) =>
        a.HeaderDigests.SequenceEqual(b.HeaderDigests)
        && a.DataDigests.SequenceEqual(b.DataDigests)
        && a.TaskReporting.SequenceEqual(b.TaskReporting)
        && Plain(a) == Plain(b);

    private static ParameterLimits Plain(ParameterLimits limits) =>
        limits with { HeaderDigests = [], DataDigests = [], TaskReporting = [] };

    private static bool AreSame(ChapSettings a, ChapSettings b) =>
        a.Accounts.Count == b.Accounts.Count
        && a.Accounts.Zip(b.Accounts).All(pair => AreSame(pair.First, pair.Second))
        && AreSame(a.Mutual, b.Mutual);

    private static bool AreSame(ChapAccount? a, ChapAccount? b) =>
        (a is null && b is null)
        || (a is not null && b is not null && a.UserName == b.UserName && a.Secret.SequenceEqual(b.Secret));
}
