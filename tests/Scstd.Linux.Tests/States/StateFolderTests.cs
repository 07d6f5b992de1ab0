using System.Text;

namespace Scstd.Linux.Tests;

/// <summary>What was saved is found again whole, or what was there before it; never a mixture, and never nothing.
/// </summary>
public sealed class StateFolderTests
{
    private const string Name = "disk1@reservations";

    // More than a save takes, so that the last of them runs to its end.
    private const int MostCalls = 16;

    private static readonly byte[] First = "the first state"u8.ToArray();
    private static readonly byte[] Second = "the second state, and it is longer"u8.ToArray();
    private static readonly byte[] Third = "3"u8.ToArray();

    [Theory]
    [InlineData(Remains.Everything)]
    [InlineData(Remains.SyncedOnly)]
    [InlineData(Remains.NamesAndSyncedContents)]
    public void The_end_before_any_call_of_a_save_leaves_the_old_state_or_the_new_one(Remains remains)
    {
        byte[]?[] history = [null, First, Second, null, Third, First];
        int ends = 0;
        for (int saves = 1; saves < history.Length; saves++)
        {
            for (int end = 1; end <= MostCalls; end++)
                ends += EndIn(history.AsSpan(0, saves + 1), end, remains) ? 1 : 0;
        }
        Assert.True(ends > 30, $"the world ended only {ends} times");
    }

    /// <summary>A killed save leaves what it had begun; the next process must get over it, and be killed too.</summary>
    [Fact]
    public void Two_ends_in_a_row_leave_one_of_the_states()
    {
        for (int end = 1; end <= MostCalls; end++)
        {
            for (int again = 1; again <= MostCalls; again++)
            {
                FragileFiles files = Saved(First, Second);
                bool wasSaved = Save(ref files, Third, end, Remains.Everything);
                string afterOne = Text(Load(files));
                Assert.Contains(afterOne, wasSaved ? [Text(Third)] : new[] { Text(Second), Text(Third) });
                bool wasSavedAgain = Save(ref files, First, again, Remains.SyncedOnly);
                Assert.Contains(Text(Load(files)), wasSavedAgain ? [Text(First)]
                    : new[] { Text(Second), Text(Third), Text(First) });
            }
        }
    }

    [Fact]
    public void A_call_that_fails_leaves_the_old_state_and_the_next_save_works()
    {
        int failures = 0;
        foreach (byte[]? next in new[] { Third, null })
        {
            for (int fails = 1; fails <= MostCalls; fails++)
            {
                FragileFiles files = Saved(First, Second);
                files.FailsAt = files.Calls + fails;
                if (!Throws(() => Folder(files).SaveNow(Name, next)))
                    continue;
                failures++;
                files.FailsAt = null;
                Assert.Equal(Second, Load(files));
                Folder(files).SaveNow(Name, First);
                Assert.Equal(First, Load(files.AfterTheEnd(Remains.SyncedOnly)));
            }
        }
        Assert.True(failures > 9, $"only {failures} calls failed");
    }

    [Fact]
    public void A_damaged_state_is_replaced_by_its_backup_loudly_and_the_backup_is_kept()
    {
        for (int at = 0; at < 140; at += 3)
        {
            FragileFiles files = Saved(First, Second);
            byte[] damaged = [.. files.Read(PathOf(".state"))!];
            if (at >= damaged.Length)
                continue;
            damaged[at] ^= 0x20;
            files.Overwrite(PathOf(".state"), damaged);
            var heard = new List<string>();
            Assert.Equal(First, Load(files, heard.Add));
            Assert.Contains($"{PathOf(".state")} is damaged", Assert.Single(heard), StringComparison.Ordinal);
            files.EndsAt = files.Calls + 5;
            Assert.Throws<WorldEndedException>(() => Folder(files).SaveNow(Name, Third));
            string left = Text(Load(files.AfterTheEnd(Remains.Everything), heard.Add));
            Assert.Contains(left, new[] { Text(First), Text(Third) });
        }
    }

    /// <summary>A removal takes the backup first, so a backup alone is what somebody left who removed the state.
    /// </summary>
    [Fact]
    public void A_state_that_is_missing_beside_its_backup_is_no_state_that_was_never_saved()
    {
        FragileFiles files = Saved(First, Second);
        files.Remove(PathOf(".state"));
        var heard = new List<string>();
        Assert.True(Folder(files).Load(Name, static _ => { })!.IsOfBackup);
        Assert.Equal(First, Load(files, heard.Add));
        Assert.Contains($"{PathOf(".state")} is missing", Assert.Single(heard), StringComparison.Ordinal);
        Folder(files).SaveNow(Name, Third);
        Assert.Equal(Third, Load(files));
        files.Remove(PathOf(".state"));
        files.Overwrite(PathOf(".backup"), []);
        Assert.Throws<StateFileException>(() => Load(files));
    }

    [Theory]
    [InlineData("cut")]
    [InlineData("longer")]
    [InlineData("empty")]
    [InlineData("another's")]
    public void What_is_not_whole_is_refused_by_name_when_its_backup_is_not_whole_either(string damage)
    {
        FragileFiles files = Saved(First, Second);
        foreach (string suffix in new[] { ".state", ".backup" })
        {
            byte[] whole = files.Read(PathOf(suffix))!;
            files.Overwrite(PathOf(suffix), damage switch
            {
                "cut" => whole[..^1],
                "longer" => [.. whole, (byte)'\n'],
                "empty" => [],
                _ => StateFileText.Write("disk2@reservations", null, First),
            });
        }
        var refused = Assert.Throws<StateFileException>(() => Load(files));
        Assert.Contains(PathOf(".state"), refused.Message, StringComparison.Ordinal);
        Assert.Contains(PathOf(".backup"), refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_is_left_behind_but_the_state_and_its_backup()
    {
        Assert.Equal([PathOf(".backup"), PathOf(".state")], Saved(First, Second, Third).Names);
        Assert.Empty(Saved(First, Second, null).Names);
    }

    [Fact]
    public void Anothers_state_is_set_aside_loudly_and_its_own_is_found_again()
    {
        const string Own = "naa.3111", Another = "naa.3222";
        var files = new FragileFiles();
        foreach (byte[] state in new[] { First, Second })
            Folder(files).SaveNow(Name, state, Another);
        Assert.Equal(Second, Load(files, owner: Another));
        var heard = new List<string>();
        Assert.Null(Load(files, heard.Add, Own));
        string complaint = Assert.Single(heard);
        Assert.All(new[] { PathOf(".state"), Own, $"{PathOf(".state")}.{Another}" },
            part => Assert.Contains(part, complaint, StringComparison.Ordinal));
        Assert.Equal([$"{PathOf(".backup")}.{Another}", $"{PathOf(".state")}.{Another}"], files.Names);
        Assert.Null(Load(files, owner: Own));
        Folder(files).SaveNow(Name, Third, Own);
        Assert.Equal(Third, Load(files, owner: Own));
    }

    [Fact]
    public void The_end_while_a_state_is_set_aside_leaves_nobody_with_anothers()
    {
        for (int end = 1; end <= MostCalls; end++)
        {
            foreach (Remains remains in Enum.GetValues<Remains>())
            {
                var files = new FragileFiles();
                foreach (byte[] state in new[] { First, Second })
                    Folder(files).SaveNow(Name, state, "another");
                files.EndsAt = files.Calls + end;
                try
                {
                    Assert.Null(Load(files, static _ => { }, "own"));
                }
                catch (WorldEndedException)
                {
                }
                files = files.AfterTheEnd(remains);
                Assert.Null(Load(files, static _ => { }, "own"));
            }
        }
    }

    /// <summary>As an earlier scstd wrote it.</summary>
    [Fact]
    public void A_state_without_an_owner_is_everybodys()
    {
        FragileFiles files = Saved(First, Second);
        Assert.StartsWith("scstd state 1\n", Text(files.Read(PathOf(".state"))), StringComparison.Ordinal);
        Assert.Equal(Second, Load(files, owner: "own"));
        Folder(files).SaveNow(Name, Third, "own");
        files.Remove(PathOf(".state"));
        Assert.Equal(Second, Load(files, static _ => { }, "own"));
    }

    [Theory]
    [InlineData("/var/lib/scstd")]
    [InlineData("/var/lib/tenants/one/scstd")]
    public void A_folder_is_durable_by_every_name_on_the_way_to_it(string folder)
    {
        var files = new FragileFiles();
        files.AddFolder("/var");
        files.AddFolder("/var/lib");
        StateFolder.Make(folder, files);
        Assert.True(files.HasFolder(folder));
        Assert.True(files.IsDurable(folder));
    }

    [Fact]
    public void The_kernels_calls_do_the_same()
    {
        using var directory = new TemporaryDirectory();
        string path = directory.File("of/many/levels/states");
        using (StateFolder folder = StateFolder.Open(path))
        {
            Assert.Null(folder.Load(Name, Unexpected)?.Content);
            foreach (byte[]? state in new[] { First, Second, null, Third, Second })
            {
                folder.SaveNow(Name, state);
                Assert.Equal(state, folder.Load(Name, Unexpected)?.Content);
            }
        }
        using StateFolder again = StateFolder.Open(path);
        Assert.Equal(Second, again.Load(Name, Unexpected)?.Content);
        Assert.Equal([$"{Name}.backup", $"{Name}.state", "lock"],
            Directory.GetFiles(path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Saves_take_effect_in_the_order_of_the_calls()
    {
        using var directory = new TemporaryDirectory();
        using StateFolder folder = StateFolder.Open(directory.Path);
        using var all = new CountdownEvent(50);
        var order = new List<int>();
        for (int i = 0; i < 50; i++)
        {
            int number = i;
            folder.Save(Name, Encoding.ASCII.GetBytes($"{number}"), failure =>
            {
                Assert.Null(failure);
                order.Add(number);
                all.Signal();
            });
        }
        Assert.True(all.Wait(TimeSpan.FromSeconds(30)));
        Assert.Equal(Enumerable.Range(0, 50), order);
        Assert.Equal("49", Text(folder.Load(Name, Unexpected)?.Content));
    }

    [Fact]
    public void A_save_that_cannot_be_done_says_so()
    {
        using var directory = new TemporaryDirectory();
        using StateFolder folder = StateFolder.Open(directory.File("states"));
        Directory.Delete(directory.File("states"), recursive: true);
        using var done = new ManualResetEventSlim();
        IOException? failure = null;
        folder.Save(Name, First, why =>
        {
            failure = why;
            done.Set();
        });
        Assert.True(done.Wait(TimeSpan.FromSeconds(30)));
        Assert.Contains(Name, failure!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_process_is_kept_out()
    {
        using var directory = new TemporaryDirectory();
        using StateFolder first = StateFolder.Open(directory.Path);
        var refused = Assert.Throws<IOException>(() => StateFolder.Open(directory.Path));
        Assert.Contains("another scstd", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>Saves the history, the last of it with an end; true if the world did end.</summary>
    private static bool EndIn(ReadOnlySpan<byte[]?> history, int end, Remains remains)
    {
        FragileFiles files = Saved(history[..^1].ToArray());
        bool wasSaved = Save(ref files, history[^1], end, remains);
        string found = Text(Load(files));
        Assert.Contains(found, wasSaved ? [Text(history[^1])] : new[] { Text(history[^2]), Text(history[^1]) });
        return !wasSaved;
    }

    /// <summary>True if it was done before the end; the files are then what is left.</summary>
    private static bool Save(ref FragileFiles files, byte[]? content, int end, Remains remains)
    {
        files.EndsAt = files.Calls + end;
        bool wasSaved = true;
        try
        {
            Folder(files).SaveNow(Name, content);
        }
        catch (WorldEndedException)
        {
            wasSaved = false;
        }
        files = files.AfterTheEnd(remains);
        return wasSaved;
    }

    private static FragileFiles Saved(params byte[]?[] states)
    {
        var files = new FragileFiles();
        foreach (byte[]? state in states)
            Folder(files).SaveNow(Name, state);
        return files;
    }

    private static bool Throws(Action action)
    {
        try
        {
            action();
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    private static byte[]? Load(FragileFiles files, Action<string>? complain = null, string? owner = null) =>
        Folder(files).Load(Name, complain ?? Unexpected, owner)?.Content;

    private static StateFolder Folder(FragileFiles files) => new("/states", files);

    private static string PathOf(string suffix) => $"/states/{Name}{suffix}";

    private static string Text(byte[]? content) => content is null ? "nothing" : Encoding.ASCII.GetString(content);

    private static void Unexpected(string complaint) => Assert.Fail(complaint);
}
