using System.Runtime.Versioning;

// A daemon on Linux' own interfaces; nothing here is meant to run elsewhere.
[assembly: SupportedOSPlatform("linux")]
