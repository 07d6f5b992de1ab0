namespace Scstd.Frontends.Iscsi.Login;

/// <summary>
/// Negotiates the operational keys of one login (RFC 7143 §6.2 and §13), as responder to what the initiator offers
/// and as proposer of what it left out although we cannot live with the default.
/// </summary>
public sealed class Negotiator
{
    private const string HeaderDigest = "HeaderDigest";
    private const string DataDigest = "DataDigest";
    private const string TaskReportingKey = "TaskReporting";
    private const string MaxRecv = "MaxRecvDataSegmentLength";
    private const string MaxBurst = "MaxBurstLength";
    private const string FirstBurst = "FirstBurstLength";

    private readonly ParameterLimits _limits;
    private readonly SessionType _sessionType;
    private readonly bool _leading;
    private readonly Dictionary<string, long> _numbers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _choices = new(StringComparer.Ordinal);
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private readonly HashSet<string> _awaited = new(StringComparer.Ordinal);
    private bool _declared;

    /// <param name="limits">How far this target goes.</param>
    /// <param name="sessionType">Many keys are irrelevant in a discovery session.</param>
    /// <param name="leading">False when the login joins a session: leading-only keys are then illegal.</param>
    public Negotiator(ParameterLimits limits, SessionType sessionType, bool leading)
    {
        _limits = limits;
        _sessionType = sessionType;
        _leading = leading;
    }

    /// <summary>Keys we have offered and the initiator has yet to answer.</summary>
    public bool AwaitsAnswers => _awaited.Count != 0;

    /// <summary>
    /// Takes the keys of one step and adds our answers, in the order of the questions. MaxBurstLength is settled
    /// before FirstBurstLength, which must not exceed it (§13.14), wherever they stand.
    /// </summary>
    public LoginFault? Receive(IReadOnlyList<TextPair> pairs, List<TextPair> answers)
    {
        var replies = new string?[pairs.Count];
        foreach (var burst in (bool[])[true, false])
        {
            for (var i = 0; i < pairs.Count; i++)
            {
                if (pairs[i].Key == MaxBurst != burst) continue;
                if (ReceiveOne(pairs[i], out replies[i]) is { } fault) return fault;
            }
        }
        for (var i = 0; i < replies.Length; i++)
        {
            if (replies[i] is { } reply) answers.Add(new TextPair(pairs[i].Key, reply));
        }
        return null;
    }

    /// <summary>Adds our MaxRecvDataSegmentLength, once. A declaration: the initiator need not answer.</summary>
    public void Declare(List<TextPair> answers)
    {
        if (_declared) return;
        _declared = true;
        answers.Add(new TextPair(MaxRecv, TextValue.Number(_limits.MaxRecvDataSegmentLength)));
    }

    /// <summary>
    /// Adds an offer for each key that was never mentioned and whose default lies outside our limits; true when there
    /// was one. The initiator must answer before the stage can end (§6.2).
    /// </summary>
    public bool Offer(List<TextPair> answers)
    {
        var offered = false;
        foreach (var row in KeyTable.All)
        {
            if (!NeedsOffer(row)) continue;
            _awaited.Add(row.Name);
            offered = true;
            answers.Add(new TextPair(row.Name, OfferOf(row)));
        }
        return offered;
    }

    /// <summary>Whether the standard's defaults, where nothing was said, are all within our limits.</summary>
    public bool NeedsOffers => KeyTable.All.Any(NeedsOffer);

    /// <summary>Null when what was agreed will do, else why not. To be asked before the stage ends.</summary>
    public LoginFault? Verify()
    {
        if (AwaitsAnswers) return LoginFault.Initiator("an offered key was not answered");
        if (NumberOf(FirstBurst) > NumberOf(MaxBurst))
            return LoginFault.Initiator("FirstBurstLength exceeds MaxBurstLength");
        foreach (var row in KeyTable.All)
        {
            // A refused offer leaves the default (§6.2), which may be beyond our limits.
            if (IsNegotiated(row) && !IsIrrelevant(row) && _seen.Contains(row.Name) && !Settled(row)
                && !WithinLimits(row))
                return LoginFault.Initiator("no common value for a key that needs one");
        }
        return null;
    }

    public NegotiatedParameters Result() => new()
    {
        HeaderDigest = DigestOf(HeaderDigest),
        DataDigest = DigestOf(DataDigest),
        MaxConnections = (int)NumberOf("MaxConnections"),
        InitialR2T = NumberOf("InitialR2T") != 0,
        ImmediateData = NumberOf("ImmediateData") != 0,
        InitiatorMaxRecvDataSegmentLength = (int)NumberOf(MaxRecv),
        TargetMaxRecvDataSegmentLength =
            _declared ? _limits.MaxRecvDataSegmentLength : LoginLimits.LoginDataSegmentLengthMax,
        MaxBurstLength = (int)NumberOf(MaxBurst),
        FirstBurstLength = (int)NumberOf(FirstBurst),
        DefaultTime2Wait = (int)NumberOf("DefaultTime2Wait"),
        DefaultTime2Retain = (int)NumberOf("DefaultTime2Retain"),
        MaxOutstandingR2T = (int)NumberOf("MaxOutstandingR2T"),
        DataPDUInOrder = NumberOf("DataPDUInOrder") != 0,
        DataSequenceInOrder = NumberOf("DataSequenceInOrder") != 0,
        ErrorRecoveryLevel = (int)NumberOf("ErrorRecoveryLevel"),
        TaskReporting = Enum.Parse<TaskReporting>(_choices.GetValueOrDefault(TaskReportingKey, "RFC3720"), true),
        IscsiProtocolLevel = (int)NumberOf("iSCSIProtocolLevel"),
    };

    private LoginFault? ReceiveOne(TextPair pair, out string? reply)
    {
        reply = null;
        if (KeyTable.Find(pair.Key) is not { } row)
        {
            reply = Answer.NotUnderstood;
            return _seen.Add(pair.Key) ? null : Twice();
        }
        if ((row.Use & KeyUse.Operational) == 0) return LoginFault.Initiator("key outside of its stage");
        if ((row.Sender & KeySender.Initiator) == 0) return LoginFault.Initiator("a target's key from an initiator");
        if (row.LeadingOnly && !_leading) return LoginFault.Initiator("leading-only key in a later connection");
        if (_awaited.Remove(row.Name))
        {
            _seen.Add(row.Name);
            return ReceiveAnswer(row, pair.Value);
        }
        if (!_seen.Add(row.Name)) return Twice();
        return ReceiveOffer(row, pair.Value, out reply);
    }

    // §6.2.3: "An attempt to renegotiate/redeclare parameters not specifically allowed MUST be detected".
    private static LoginFault Twice() => LoginFault.Initiator("key negotiated twice in one login");

    private LoginFault? ReceiveOffer(KeyRow row, string value, out string? reply)
    {
        reply = null;
        if (row.Type == KeyType.Obsolete)
        {
            reply = Answer.Reject;
            return null;
        }
        if (Answer.IsReserved(value)) return LoginFault.Initiator("a responder's constant as an offer");
        if (row.Type == KeyType.Declarative) return ReceiveDeclaration(row, value);
        if (IsIrrelevant(row))
        {
            reply = Answer.Irrelevant;
            return null;
        }
        reply = row.Type == KeyType.List ? Choose(row, value) : Settle(row, value);
        return null;
    }

    private LoginFault? ReceiveDeclaration(KeyRow row, string value)
    {
        if (row.Name != MaxRecv) return null;
        if (!InRange(row, value, out var length)) return LoginFault.Initiator("MaxRecvDataSegmentLength out of range");
        _numbers[MaxRecv] = length;
        return null;
    }

    private string Choose(KeyRow row, string value)
    {
        if (!TextValue.TryList(value, out var elements)) return Answer.Reject;
        foreach (var element in elements)
        {
            if (Supports(row, element)) return _choices[row.Name] = element;
        }
        return Answer.Reject;
    }

    private string Settle(KeyRow row, string value)
    {
        if (!InRange(row, value, out var offered)) return Answer.Reject;
        var settled = Combine(row, offered);
        _numbers[row.Name] = settled;
        return Format(row, settled);
    }

    /// <summary>An answer must be a possible outcome of our offer (§6.2.1, §6.2.2).</summary>
    private LoginFault? ReceiveAnswer(KeyRow row, string value)
    {
        if (row.Type == KeyType.List)
        {
            if (!Supports(row, value)) return LoginFault.Initiator("an answer that was not offered");
            _choices[row.Name] = value;
            return null;
        }
        if (!InRange(row, value, out var answered) || Combine(row, answered) != answered)
            return LoginFault.Initiator("an answer that was not offered");
        _numbers[row.Name] = answered;
        return null;
    }

    private bool NeedsOffer(KeyRow row)
    {
        if (!IsNegotiated(row) || _seen.Contains(row.Name) || _awaited.Contains(row.Name)) return false;
        if (row.LeadingOnly && !_leading) return false;
        return !IsIrrelevant(row) && !WithinLimits(row);
    }

    private bool IsIrrelevant(KeyRow row) => row.IrrelevantInDiscovery && _sessionType == SessionType.Discovery;

    private string OfferOf(KeyRow row) =>
        row.Type == KeyType.List ? Name(DigestsOf(row)[0]) : Format(row, LimitOf(row));

    private bool WithinLimits(KeyRow row) => row.Type == KeyType.List
        ? row.Name == TaskReportingKey || DigestsOf(row).Contains(Digest.None)
        : Combine(row, row.ByDefault) == row.ByDefault;

    private static bool IsNegotiated(KeyRow row) =>
        row.Type is not (KeyType.Declarative or KeyType.Obsolete) && (row.Use & KeyUse.Operational) != 0;

    private bool Settled(KeyRow row) => _numbers.ContainsKey(row.Name) || _choices.ContainsKey(row.Name);

    private long Combine(KeyRow row, long offered) => row.Type is KeyType.Minimum or KeyType.And
        ? Math.Min(offered, LimitOf(row))
        : Math.Max(offered, LimitOf(row));

    private long NumberOf(string key) =>
        _numbers.TryGetValue(key, out var number) ? number : KeyTable.Find(key)!.ByDefault;

    private Digest DigestOf(string key) => _choices.GetValueOrDefault(key) == "CRC32C" ? Digest.Crc32c : Digest.None;

    private long LimitOf(KeyRow row) => row.Name switch
    {
        "InitialR2T" => _limits.InitialR2T ? 1 : 0,
        "ImmediateData" => _limits.ImmediateData ? 1 : 0,
        MaxBurst => _limits.MaxBurstLength,
        FirstBurst => Math.Min(_limits.FirstBurstLength, NumberOf(MaxBurst)),
        "DefaultTime2Wait" => _limits.DefaultTime2Wait,
        "DefaultTime2Retain" => _limits.DefaultTime2Retain,
        "MaxOutstandingR2T" => _limits.MaxOutstandingR2T,
        "iSCSIProtocolLevel" => _limits.IscsiProtocolLevel,

        // One connection a session, no recovery within it, and data in order: what this target is built for.
        "MaxConnections" => 1,
        "ErrorRecoveryLevel" => 0,
        "DataPDUInOrder" or "DataSequenceInOrder" => 1,
        _ => throw new ArgumentOutOfRangeException(nameof(row), row.Name, "a key without a limit"),
    };

    private bool Supports(KeyRow row, string element) => row.Name == TaskReportingKey
        ? _limits.TaskReporting.Any(value => Name(value) == element)
        : DigestsOf(row).Any(digest => Name(digest) == element);

    private IReadOnlyList<Digest> DigestsOf(KeyRow row) =>
        row.Name == HeaderDigest ? _limits.HeaderDigests : _limits.DataDigests;

    private static string Name(Digest digest) => digest == Digest.Crc32c ? "CRC32C" : "None";

    private static string Name(TaskReporting value) => value switch
    {
        TaskReporting.Rfc3720 => "RFC3720",
        _ => value.ToString(),
    };

    private static bool InRange(KeyRow row, string value, out long number)
    {
        if (row.Type is KeyType.And or KeyType.Or)
        {
            var isBoolean = TextValue.TryBoolean(value, out var flag);
            number = flag ? 1 : 0;
            return isBoolean;
        }
        var isNumber = TextValue.TryNumber(value, out var unsigned) && unsigned <= (ulong)row.Maximum;
        number = isNumber ? (long)unsigned : 0;
        return isNumber && number >= row.Minimum;
    }

    private static string Format(KeyRow row, long value) =>
        row.Type is KeyType.And or KeyType.Or ? TextValue.Boolean(value != 0) : TextValue.Number(value);
}
