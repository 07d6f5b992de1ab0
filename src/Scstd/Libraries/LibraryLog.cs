using Scstd.Backends.Changer;
using Scstd.Backends.Tape;
using Serilog;

namespace Scstd.Libraries;

/// <summary>What goes wrong in one library, for the log.</summary>
internal sealed class LibraryLog(string library, ILogger log)
{
    public void Failed(LibraryFailure failure) =>
        log.Error("Library {Library:l}: {What:l}", library, failure.ToString());

    public void Failed(string drive, TapeFailure failure) => log.Error(
        "Drive {Drive:l}, cartridge {Barcode:l}: {Command:l} failed: {Message:l}; told {Initiator:l}", drive,
        failure.Barcode, failure.Command, failure.Message, failure.Initiator ?? "nobody yet");
}
