namespace Scstd.Linux.IoUring;

/// <summary>Why io_uring cannot be used here: the kernel's refusal, a part that is missing, or a failed self-test.
/// </summary>
internal sealed class RingRefusedException(string reason) : Exception(reason);
