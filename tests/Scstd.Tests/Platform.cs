using System.Runtime.Versioning;

// What it tests runs on Linux only.
[assembly: SupportedOSPlatform("linux")]
