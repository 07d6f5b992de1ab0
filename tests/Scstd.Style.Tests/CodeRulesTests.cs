namespace Scstd.Style.Tests;

public sealed class CodeRulesTests
{
    private static IEnumerable<SourceFile> AllCode => NotEmpty(Repository.CSharp("src", "tests", "benchmarks"));

    private static IEnumerable<SourceFile> Tests => NotEmpty(Repository.CSharp("tests"));

    [Fact]
    public void Files_stay_small() => RuleAssert.Holds(AllCode.SelectMany(CodeRules.FileSize));

    [Fact]
    public void Functions_stay_short() => RuleAssert.Holds(AllCode.SelectMany(CodeRules.FunctionSize));

    [Fact]
    public void Lines_fit() => RuleAssert.Holds(AllCode.SelectMany(CodeRules.LineLength));

    [Fact]
    public void The_core_neither_waits_nor_touches_the_system() =>
        RuleAssert.Holds(Repository.CSharp("src/Scstd.Core").SelectMany(CodeRules.CoreIsSynchronous));

    [Fact]
    public void The_language_neither_waits_nor_touches_the_system() =>
        RuleAssert.Holds(Repository.CSharp("src/Scstd.Scsi").SelectMany(CodeRules.CoreIsSynchronous));

    [Fact]
    public void Tests_do_not_sleep() => RuleAssert.Holds(Tests.SelectMany(CodeRules.NoSleeps));

    [Fact]
    public void Types_are_named_for_what_they_are() => RuleAssert.Holds(AllCode.SelectMany(CodeRules.TypeNames));

    [Fact]
    public void No_code_is_left_undone() => RuleAssert.Holds(AllCode.SelectMany(CodeRules.NothingLeftUndone));

    [Fact]
    public void A_long_file_is_found()
    {
        Assert.Empty(CodeRules.FileSize(Sample(Lines(600))));
        RuleAssert.Bites(CodeRules.FileSize(Sample(Lines(601))), 601, "601 lines");
    }

    [Fact]
    public void A_long_line_is_found()
    {
        Assert.Empty(CodeRules.LineLength(Sample(new string('x', 120))));
        RuleAssert.Bites(CodeRules.LineLength(Sample("\n" + new string('x', 121))), 2, "121 columns");
    }

    [Theory]
    [InlineData("void Long()")]
    [InlineData("Sample()")]
    [InlineData("int Long { get")]
    public void A_long_function_is_found(string head)
    {
        var tail = head.EndsWith("get", StringComparison.Ordinal) ? "}}}" : "}}";
        // The head's line, the statements' lines, and the line of the closing brace.
        Assert.Empty(CodeRules.FunctionSize(Sample($"class Sample {{\n{head} {{\n{Lines(67)}{tail}")));
        RuleAssert.Bites(CodeRules.FunctionSize(Sample($"class Sample {{\n{head} {{\n{Lines(68)}{tail}")), 2,
            "70 lines");
    }

    [Fact]
    public void A_long_lambda_is_found() =>
        RuleAssert.Bites(CodeRules.FunctionSize(Sample($"class Sample {{ int F = G(() => {{\n{Lines(68)}}}); }}")), 1,
            "70 lines");

    [Theory]
    [InlineData("async void M() { }", "async")]
    [InlineData("void M() { lock (this) { } }", "lock")]
    [InlineData("int _i; void M() => Interlocked.Increment(ref _i);", "Interlocked")]
    [InlineData("Thread t;", "Thread")]
    [InlineData("void M() { Task.Run(F); }", "Task.Run")]
    [InlineData("void M() { System.Threading.Tasks.Task.Run(F); }", "Task.Run")]
    [InlineData("void M() { Use(DateTime.UtcNow); }", "DateTime")]
    [InlineData("Socket s;", "Socket")]
    [InlineData("void M() { File.Delete(Name); }", "File.Delete")]
    [InlineData("void M() { System.IO.File.Delete(Name); }", "File.Delete")]
    public void What_the_core_must_not_do_is_found(string member, string word) =>
        RuleAssert.Bites(CodeRules.CoreIsSynchronous(Sample($"class C\n{{\n{member}\n}}")), 3, word);

    [Fact]
    public void An_await_in_the_core_is_found() =>
        Assert.Contains(CodeRules.CoreIsSynchronous(Sample("class C { async ValueTask M() { await N(); } }")),
            violation => violation.What.StartsWith("await", StringComparison.Ordinal));

    [Fact]
    public void The_core_may_speak_of_what_it_must_not_do() =>
        Assert.Empty(CodeRules.CoreIsSynchronous(Sample("// no await, no Thread\nclass C { string S = \"File.\"; }")));

    [Theory]
    [InlineData("Thread.Sleep(1)", "Thread.Sleep")]
    [InlineData("await Task.Delay(1)", "Task.Delay")]
    public void A_sleeping_test_is_found(string statement, string word) =>
        RuleAssert.Bites(CodeRules.NoSleeps(Sample($"class C {{\nasync Task M() {{ {statement}; }} }}")), 2, word);

    [Theory]
    [InlineData("SessionManager")]
    [InlineData("BufferUtils")]
    [InlineData("AbstractStore")]
    [InlineData("DefaultStore")]
    public void A_name_that_says_nothing_is_found(string name) =>
        RuleAssert.Bites(CodeRules.TypeNames(Sample($"\nsealed class {name} {{ }}")), 2, name);

    [Fact]
    public void The_task_manager_of_the_standard_may_be_called_so() =>
        Assert.Empty(CodeRules.TypeNames(Sample("sealed class TaskManager { }")));

    [Theory]
    [InlineData("// ", "TOD", "O")]
    [InlineData("/* FIX", "M", "E */")]
    [InlineData("/// <summary>HA", "C", "K</summary>")]
    public void A_note_of_undone_work_is_found(string start, string middle, string end) =>
        RuleAssert.Bites(CodeRules.NothingLeftUndone(Sample($"\n{start}{middle}{end}\nclass C;")), 2, middle);

    [Fact]
    public void An_unwritten_method_is_found() =>
        RuleAssert.Bites(
            CodeRules.NothingLeftUndone(Sample("class C {\nvoid M() => throw new NotImplementedException(); }")), 2,
            "NotImplemented");

    private static SourceFile Sample(string text) => new("Sample.cs", text);

    private static string Lines(int count) => string.Concat(Enumerable.Repeat(";\n", count));

    private static List<SourceFile> NotEmpty(IEnumerable<SourceFile> files)
    {
        var list = files.ToList();
        Assert.NotEmpty(list);
        return list;
    }
}
