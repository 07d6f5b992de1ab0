using System.Buffers.Binary;
using System.Security.Cryptography;
using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Backends.Tape;

/// <summary>Tape data encryption (SSC-4 §8.5, security protocol 20h): which key goes with which nexus. The records are
/// encrypted by the medium.</summary>
public sealed partial class TapeBackend
{
    private const byte InformationProtocol = 0x00;
    private const byte TapeProtocol = 0x20;

    /// <summary>AES-256-GCM with a tag of 128 bits, SPC-4's SECURITY ALGORITHM CODE.</summary>
    private const uint AlgorithmCode = 0x0001_0014;

    private static readonly ushort[] PagesIn = [0x0000, 0x0001, 0x0010, 0x0011, 0x0012, 0x0020, 0x0021, 0x0030];

    /// <summary>Of single nexuses; replaced whole: a nexus that ends asks from its own reactor.</summary>
    private volatile LocalKey[] _localKeys = [];

    private volatile SharedKey? _sharedKey;

    /// <summary>Counts changes of keys; zero is no key.</summary>
    private uint _keyInstance;

    /// <summary>LOCK: who writes with one instance of a key and with no other.</summary>
    private volatile KeyLock[] _keyLocks = [];

    /// <summary>Who has ever asked for anything of this protocol: they hear of changes, and nobody else does, so that
    /// who does not encrypt is not disturbed.</summary>
    private volatile ItNexus[] _registered = [];

    private readonly Lock _registering = new();

    private sealed record LocalKey(ItNexus Nexus, EncryptionParameters Parameters, uint Instance);

    private sealed record SharedKey(ItNexus? SetBy, EncryptionParameters Parameters, uint Instance);

    private sealed record KeyLock(ItNexus Nexus, uint Instance);

    private EncryptionParameters ParametersOf(ItNexus nexus)
    {
        foreach (LocalKey one in _localKeys)
        {
            if (ReferenceEquals(one.Nexus, nexus))
                return one.Parameters;
        }
        return _sharedKey?.Parameters ?? EncryptionParameters.None;
    }

    private uint KeyInstanceOf(ItNexus nexus) =>
        Array.Find(_localKeys, one => ReferenceEquals(one.Nexus, nexus))?.Instance ?? _sharedKey?.Instance ?? 0;

    /// <summary>Null: the nexus writes with the key that it has locked itself to, or with any.</summary>
    private SenseData? JudgeKeyLock(ItNexus nexus) =>
        Array.Find(_keyLocks, one => ReferenceEquals(one.Nexus, nexus)) is { } locked &&
        locked.Instance != KeyInstanceOf(nexus)
            ? new SenseData(SenseKey.DataProtect, AdditionalSense.DataEncryptionKeyInstanceCounterHasChanged) : null;

    private TapeKey? KeyForWriting(ScsiCommand command)
    {
        EncryptionParameters parameters = ParametersOf(command.Nexus);
        return parameters.Encryption == EncryptionMode.Encrypt ? parameters.Key : null;
    }

    /// <summary>Null: the record can be read, with this key if it needs one.</summary>
    private SenseData? JudgeEncryption(ScsiCommand command, in TapeObject record, out TapeKey? key)
    {
        EncryptionParameters parameters = ParametersOf(command.Nexus);
        key = record.IsEncrypted ? parameters.Key : null;
        if (record.IsEncrypted && parameters.Decryption == DecryptionMode.Disable)
            return new SenseData(SenseKey.DataProtect, AdditionalSense.UnableToDecryptData);
        return !record.IsEncrypted && parameters.Decryption == DecryptionMode.Decrypt
            ? new SenseData(SenseKey.DataProtect, AdditionalSense.UnencryptedDataEncounteredWhileDecrypting) : null;
    }

    // ---- How long a key lives ---------------------------------------------------------------------------------------

    private bool HoldsKeysOf(ItNexus nexus) => _registered.Contains(nexus);

    private void RemoveKeysOf(ItNexus nexus)
    {
        _localKeys = [.. _localKeys.Where(one => !ReferenceEquals(one.Nexus, nexus))];
        _keyLocks = [.. _keyLocks.Where(one => !ReferenceEquals(one.Nexus, nexus))];
        // A key for all stays: it is nobody's own any more.
        if (_sharedKey is { } shared && ReferenceEquals(shared.SetBy, nexus))
            _sharedKey = shared with { SetBy = null };
    }

    /// <summary>The nexus has ended.</summary>
    private void ForgetKeysOf(ItNexus nexus)
    {
        RemoveKeysOf(nexus);
        lock (_registering)
            _registered = [.. _registered.Where(one => !ReferenceEquals(one, nexus))];
    }

    private void ForgetKeys()
    {
        _localKeys = [];
        _keyLocks = [];
        _sharedKey = null;
        lock (_registering)
            _registered = [];
    }

    /// <summary>CKOD, where a volume leaves the drive: returns who is to hear that its parameters have changed.
    /// </summary>
    private ItNexus[] ForgetKeysOnUnload()
    {
        LocalKey[] own = [.. _localKeys.Where(one => one.Parameters.ClearsOnUnload)];
        bool clearsShared = _sharedKey is { Parameters.ClearsOnUnload: true };
        if (own.Length == 0 && !clearsShared)
            return [];
        ItNexus[] users = clearsShared ? UsersOfSharedKey() : [];
        _localKeys = [.. _localKeys.Except(own)];
        if (clearsShared)
            _sharedKey = null;
        _keyInstance++;
        return [.. users, .. own.Select(one => one.Nexus)];
    }

    /// <summary>Who has no key of its own, as far as it is to hear of changes.</summary>
    private ItNexus[] UsersOfSharedKey() =>
        [.. _registered.Where(one => !Array.Exists(_localKeys, local => ReferenceEquals(local.Nexus, one)))];

    private void Register(ItNexus nexus)
    {
        if (_registered.Contains(nexus))
            return;
        lock (_registering)
        {
            if (!_registered.Contains(nexus))
                _registered = [.. _registered, nexus];
        }
    }

    // ---- SECURITY PROTOCOL OUT --------------------------------------------------------------------------------------

    private static SenseData? ValidateSecurityProtocolOut(ScsiCommand command)
    {
        ReadOnlySpan<byte> cdb = command.Cdb;
        if (cdb[1] != TapeProtocol)
            return SenseData.InvalidFieldInCdb(1);
        if (BinaryPrimitives.ReadUInt16BigEndian(cdb[2..]) != 0x0010)
            return SenseData.InvalidFieldInCdb(2);
        return command.RequestedBytes > EncryptionParameters.MostBytes ? SenseData.InvalidFieldInCdb(6) : null;
    }

    /// <summary>Set Data Encryption. Whoever else the parameters are for is told that they have changed.</summary>
    private void SecurityProtocolOut(ScsiCommand command)
    {
        Register(command.Nexus);
        if (command.RequestedBytes == 0)
        {
            command.Complete();
            return;
        }
        byte[] page = command.Data.ToArray(command.Data.LengthBytes);
        EncryptionParameters? parameters = EncryptionParameters.Read(page, out SenseData refused);
        CryptographicOperations.ZeroMemory(page);
        // Nor may it be found in a buffer that others get.
        command.Data.CopyFrom(page, 0);
        // What is to be cleared with a volume wants a volume.
        if (parameters is { ClearsOnUnload: true } && _load != TapeLoad.Loaded)
            (parameters, refused) = (null, SenseData.InvalidFieldInParameterList(5, 2));
        if (parameters is null)
        {
            command.CheckCondition(refused);
            return;
        }
        Adopt(command, parameters);
        command.Complete();
    }

    private void Adopt(ScsiCommand command, EncryptionParameters parameters)
    {
        RemoveKeysOf(command.Nexus);
        if (parameters.Scope != EncryptionScope.Public)
            _keyInstance++;
        if (parameters.Scope == EncryptionScope.Local)
        {
            _localKeys = [.. _localKeys, new LocalKey(command.Nexus, parameters, _keyInstance)];
        }
        else if (parameters.Scope == EncryptionScope.AllNexuses)
        {
            _sharedKey = new SharedKey(command.Nexus, parameters, _keyInstance);
            command.Unit.EstablishUnitAttention(
                AdditionalSense.DataEncryptionParametersChangedByAnotherNexus,
                [.. UsersOfSharedKey().Where(one => !ReferenceEquals(one, command.Nexus))]);
        }
        if (parameters.IsLocked)
            _keyLocks = [.. _keyLocks, new KeyLock(command.Nexus, KeyInstanceOf(command.Nexus))];
    }

    // ---- SECURITY PROTOCOL IN ---------------------------------------------------------------------------------------

    private static SenseData? ValidateSecurityProtocolIn(ScsiCommand command)
    {
        ReadOnlySpan<byte> cdb = command.Cdb;
        ushort page = BinaryPrimitives.ReadUInt16BigEndian(cdb[2..]);
        return cdb[1] switch
        {
            InformationProtocol => page > 1 ? SenseData.InvalidFieldInCdb(2) : null,
            TapeProtocol => PagesIn.Contains(page) ? null : SenseData.InvalidFieldInCdb(2),
            _ => SenseData.InvalidFieldInCdb(1),
        };
    }

    private void SecurityProtocolIn(ScsiCommand command)
    {
        ReadOnlySpan<byte> cdb = command.Cdb;
        ushort page = BinaryPrimitives.ReadUInt16BigEndian(cdb[2..]);
        if (cdb[1] == TapeProtocol)
            Register(command.Nexus);
        if (cdb[1] == InformationProtocol)
        {
            // The protocols, or no certificate.
            command.CompleteWithData(page == 0
                ? [0, 0, 0, 0, 0, 0, 0, 2, InformationProtocol, TapeProtocol] : [0, 0, 0, 0]);
            return;
        }
        switch (page)
        {
            case 0x0000:
                Answer(command, page, [.. PagesIn.SelectMany(one => Two(one))]);
                break;
            case 0x0001:
                Answer(command, page, Two(0x0010));
                break;
            case 0x0010:
                Answer(command, page, Capabilities());
                break;
            case 0x0011:
                Answer(command, page, [0x00]); // plain keys
                break;
            case 0x0012:
                // LOCK_C; CKOD_C; AITN_C, LOCAL_C and PUBLIC_C.
                Answer(command, page, [0x01, 0x04, 0, 0x07, 0, 0, 0, 0, 0, 0, 0, 0]);
                break;
            case 0x0020:
                Answer(command, page, EncryptionStatus(command.Nexus));
                break;
            case 0x0030:
                Answer(command, page, RandomNumberGenerator.GetBytes(32));
                break;
            default:
                NextBlockStatus(command);
                break;
        }
    }

    private static void Answer(ScsiCommand command, ushort page, byte[] payload) =>
        command.CompleteWithData([.. Two(page), .. Two(payload.Length), .. payload]);

    /// <summary>Data Encryption Capabilities: one algorithm.</summary>
    private byte[] Capabilities()
    {
        byte[] payload = new byte[40];
        payload[0] = 0x01; // CFG_P 01b: nothing keeps an initiator from setting parameters
        Span<byte> algorithm = payload.AsSpan(16);
        algorithm[0] = EncryptionParameters.AlgorithmIndex;
        algorithm[3] = 20; // DESCRIPTOR LENGTH
        // AVFMV: with the volume that is mounted; MAC_C; DELB_C; DECRYPT_C and ENCRYPT_C 10b, in the device: 01b would
        // say that it is slow, and initiators then refuse to use it.
        algorithm[4] = (byte)((_load == TapeLoad.Loaded ? 0x80 : 0) | 0x20 | 0x10 | 0x08 | 0x02);
        // UKADF and AKADF zero: key-associated data may be shorter than their maximum.
        BinaryPrimitives.WriteUInt16BigEndian(algorithm[6..], EncryptionParameters.MostAssociatedBytes);
        BinaryPrimitives.WriteUInt16BigEndian(algorithm[8..], EncryptionParameters.MostAssociatedBytes);
        BinaryPrimitives.WriteUInt16BigEndian(algorithm[10..], EncryptionParameters.KeyLengthBytes);
        // DKAD_C 11b: with a key for reading there may be key-associated data; RDMC_C 1: nothing is read raw.
        algorithm[12] = 0xC0 | 0x02;
        BinaryPrimitives.WriteUInt32BigEndian(algorithm[20..], AlgorithmCode);
        return payload;
    }

    /// <summary>Data Encryption Status: what holds for this nexus.</summary>
    private byte[] EncryptionStatus(ItNexus nexus)
    {
        LocalKey? local = _localKeys.FirstOrDefault(one => ReferenceEquals(one.Nexus, nexus));
        SharedKey? shared = _sharedKey;
        EncryptionParameters parameters = ParametersOf(nexus);
        EncryptionScope keyScope = local is not null ? EncryptionScope.Local :
            shared is not null ? EncryptionScope.AllNexuses : EncryptionScope.Public;
        EncryptionScope nexusScope = local is not null ? EncryptionScope.Local :
            shared?.SetBy is { } setter && ReferenceEquals(setter, nexus)
                ? EncryptionScope.AllNexuses : EncryptionScope.Public;
        byte[] payload = new byte[20];
        payload[0] = (byte)(((int)nexusScope << 5) | (int)keyScope);
        payload[1] = (byte)parameters.Encryption;
        payload[2] = (byte)parameters.Decryption;
        payload[3] = parameters.IsDisabled ? (byte)0 : EncryptionParameters.AlgorithmIndex;
        BinaryPrimitives.WriteUInt32BigEndian(payload.AsSpan(4), local?.Instance ?? shared?.Instance ?? 0);
        payload[8] = (byte)(parameters.Check << 1); // CEEMS
        return [.. payload, .. EncryptionParameters.Associated(parameters.Key)];
    }

    /// <summary>Next Block Encryption Status: what lies before the position.</summary>
    private void NextBlockStatus(ScsiCommand command)
    {
        if (NotReady is { } notReady)
        {
            command.CheckCondition(notReady);
            return;
        }
        byte[] payload = [];
        Work(command, medium =>
        {
            payload = NextBlockStatus(medium, ParametersOf(command.Nexus));
            return null;
        }, () => Answer(command, 0x0021, payload));
    }

    private static byte[] NextBlockStatus(ITapeMedium medium, EncryptionParameters parameters)
    {
        TapeObject next = medium.Peek();
        byte[] payload = new byte[12];
        BinaryPrimitives.WriteUInt64BigEndian(payload, medium.Position.ObjectNumber);
        bool isRecord = next.Kind == TapeObjectKind.Record;
        // 2: no logical block; 3: not compressed, not encrypted; 4: compressed; 5: the key is here; 6: it is not.
        int compression = !isRecord ? 2 : next.IsCompressed ? 4 : 3;
        int encryption = !isRecord ? 2 : !next.IsEncrypted ? 3 :
            parameters.Decryption != DecryptionMode.Disable && IsRightKey(medium, parameters.Key) ? 5 : 6;
        payload[8] = (byte)((compression << 4) | encryption);
        payload[9] = next.IsEncrypted ? EncryptionParameters.AlgorithmIndex : (byte)0;
        // AUTHENTICATED: 1 not tried, 2 it is.
        return
        [
            .. payload, .. EncryptionParameters.Descriptor(0, next.UnauthenticatedData.Span),
            .. EncryptionParameters.Descriptor(1, next.KeyAssociatedData.Span, (byte)(encryption == 5 ? 2 : 1)),
        ];
    }

    /// <summary>Whether a key opens the next record only the record can tell.</summary>
    private static bool IsRightKey(ITapeMedium medium, TapeKey? key)
    {
        TapePosition position = medium.Position;
        try
        {
            medium.Read(new DataBuffer(), 0, 0, key: key);
            return true;
        }
        catch (MediumFaultException)
        {
            return false;
        }
        finally
        {
            medium.Locate(position.Partition, position.ObjectNumber);
        }
    }
}
