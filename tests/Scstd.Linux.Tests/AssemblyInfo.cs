using System.Runtime.Versioning;

// Descriptors and memory are counted for the whole process, so one test runs at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
[assembly: SupportedOSPlatform("linux")]
