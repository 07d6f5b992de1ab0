using System.Diagnostics;

/// <summary>
/// Runs inside of a daemon that a test starts, before its Main: .NET looks for this name, outside of all namespaces, in
/// the assembly that DOTNET_STARTUP_HOOKS names. Breaks an invariant when it is told to.
/// </summary>
internal static class StartupHook
{
    public const string Word = "break";

    public static void Initialize() => new Thread(Wait) { IsBackground = true }.Start();

    private static void Wait()
    {
        if (Console.In.ReadLine() == Word)
            throw new UnreachableException("invariant broken: planted by a test");
    }
}
