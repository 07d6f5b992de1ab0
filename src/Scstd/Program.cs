using Scstd.Hosting;

using var signals = new Signals();
return await CommandLine.RunAsync(args, signals);
