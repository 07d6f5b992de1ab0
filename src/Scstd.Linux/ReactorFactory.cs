using System.Runtime.ExceptionServices;
using Scstd.Linux.Epoll;
using Scstd.Linux.IoUring;

namespace Scstd.Linux;

/// <summary>Starts reactors, each on a thread of its own.</summary>
public static class ReactorFactory
{
    /// <summary>Starts a thread, chooses the kernel interface on it and returns the running reactor. Every choice
    /// that was not the first is told to <paramref name="log"/> with its reason.</summary>
    public static Reactor Start(ReactorOptions options, Action<string> log)
    {
        LoopReactor? reactor = null;
        ExceptionDispatchInfo? failure = null;
        using var started = new ManualResetEventSlim();
        var thread = new Thread(() =>
        {
            try
            {
                ThreadAffinity.Bind(options.Cpu);
                reactor = Create(options, log);
            }
            catch (Exception exception)
            {
                failure = ExceptionDispatchInfo.Capture(exception);
                return;
            }
            finally
            {
                started.Set();
            }
            reactor.Run();
        })
        {
            IsBackground = true,
            Name = options.Name ?? $"scstd-{options.Index}",
        };
        thread.Start();
        started.Wait();
        failure?.Throw();
        reactor!.Thread = thread;
        return reactor;
    }

    private static LoopReactor Create(ReactorOptions options, Action<string> log)
    {
        if (options.Kind == ReactorKind.Epoll)
            return new EpollReactor(options);
        try
        {
            return new UringReactor(options, log);
        }
        catch (RingRefusedException refused) when (options.Kind == ReactorKind.Auto)
        {
            log($"reactor {options.Index}: {refused.Message}; using epoll");
            return new EpollReactor(options);
        }
        catch (RingRefusedException refused)
        {
            throw new PlatformNotSupportedException(refused.Message, refused);
        }
    }
}
