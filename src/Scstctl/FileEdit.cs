using Scstd.Control;

namespace Scstctl;

/// <summary>Writes one value into the configuration file, and nothing else of it. It is this program that does it, with
/// the rights of who runs it: the daemon itself cannot write its configuration.</summary>
internal static class FileEdit
{
    /// <summary>Says whether the file agrees with what was done, and makes it agree if that is wanted. False if it does
    /// not in the end.</summary>
    public static bool Settle(AgreementRecord configuration, bool saves, TextWriter error)
    {
        if (configuration.Agrees)
            return true;
        if (configuration.Edit is not { } edit)
        {
            error.WriteLine($"scstctl: {configuration.File} says otherwise, and a reload or start brings that back; "
                + $"it has to be changed by hand: {configuration.Why}");
            return false;
        }
        string place = $"{configuration.File}:{edit.Line}:{edit.Column}";
        if (!saves)
        {
            error.WriteLine($"scstctl: {place} still says {edit.Old}, and a reload or start brings that back; "
                + $"--save writes {edit.New}");
            return false;
        }
        if (Write(configuration.File, edit) is { } why)
        {
            error.WriteLine($"scstctl: {place}: {edit.New} was not saved: {why}");
            return false;
        }
        error.WriteLine($"scstctl: {place}: {edit.Old} is {edit.New} now; the file as it was is {configuration.File}~");
        return true;
    }

    /// <summary>Null: it can be written, and so can the copy beside it.</summary>
    internal static string? WhyNotWritable(string path)
    {
        try
        {
            new FileStream(path, FileMode.Open, FileAccess.Write).Dispose();
            if (File.Exists(path + "~"))
                new FileStream(path + "~", FileMode.Open, FileAccess.Write).Dispose();
            return null;
        }
        catch (UnauthorizedAccessException)
        {
            return $"{path}: permission denied to write it; --save writes with the rights of who runs it";
        }
        catch (IOException exception)
        {
            return exception.Message;
        }
    }

    /// <summary>In place, so that owner, mode and links stay; a copy beside it outlives a fault on the way. Null, or
    /// why not.</summary>
    internal static string? Write(string path, EditRecord edit)
    {
        try
        {
            string text = File.ReadAllText(path);
            int start = 0;
            for (int line = 1; line < edit.Line; line++)
            {
                start = text.IndexOf('\n', start) + 1;
                if (start == 0)
                    return "the file has changed meanwhile";
            }
            start += edit.Column - 1;
            if (start > text.Length || string.CompareOrdinal(text, start, edit.Old, 0, edit.Old.Length) != 0)
                return "the file has changed meanwhile";
            File.Copy(path, path + "~", overwrite: true);
            using FileStream file = new(path, FileMode.Open, FileAccess.Write);
            byte[] bytes = System.Text.Encoding.UTF8.GetBytes(
                string.Concat(text.AsSpan(0, start), edit.New, text.AsSpan(start + edit.Old.Length)));
            file.Write(bytes);
            file.SetLength(bytes.Length);
            file.Flush(flushToDisk: true);
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return exception.Message;
        }
    }
}
