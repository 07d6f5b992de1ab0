using Scstctl;

return await CommandLine.RunAsync(args);
