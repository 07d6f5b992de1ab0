using Scstd.Hosting;

return await CommandLine.RunAsync(args);
