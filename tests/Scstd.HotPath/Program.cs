using System.Globalization;
using Scstd.HotPath;

// scstd-hotpath                    the loads, one a line
// scstd-hotpath LOAD COMMANDS      sends so many commands after a fixed number of others
const int WarmUp = 512;
if (args is not [var name, var count])
{
    foreach (HotLoad load in HotLoad.All)
        Console.WriteLine(load.Name);
    return;
}
using var session = new HotSession(HotLoad.Called(name));
session.Run(WarmUp);
session.Run(int.Parse(count, CultureInfo.InvariantCulture));
Console.WriteLine(session.Answered);
