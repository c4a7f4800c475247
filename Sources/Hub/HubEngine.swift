import AppSync
import Basics
import GraphQL
import Models

/// What all parts of a hub share and nobody changes: the API, the keys, and the documents seen lately.
final class HubEngine: Sendable {
    let schema: HubSchema
    let authenticator: Authenticator
    /// Where decisions on rights are said.
    let accessLog: AccessLog
    let limits: HubLimits
    private let documents = Locked(DocumentCache())

    init(
        _ schema: Schema, _ authenticator: Authenticator, limits: HubLimits = HubLimits(),
        accessLog: AccessLog = AccessLog()
    ) throws(HubError) {
        self.accessLog = accessLog
        self.limits = limits
        self.schema = try HubSchema(schema)
        self.authenticator = authenticator
    }

    /// Takes the keys alone that a hub is started with.
    convenience init(_ schema: Schema, keys: APIKeys, limits: HubLimits = HubLimits()) throws(HubError) {
        try self.init(schema, Authenticator(keys: keys), limits: limits)
    }

    /// Who shows these credentials; a refusal is logged.
    func caller(
        _ credentials: Credentials, now: Int64, request: String? = nil, from address: String? = nil
    ) -> Result<Caller, AuthRefusal> {
        let result = authenticator.caller(credentials, now: now)
        if case .failure(let refusal) = result { accessLog.turnedAway(refusal, request: request, from: address) }
        return result
    }

    /// Parses and validates a document, or finds it among those seen lately.
    func prepare(_ text: String) -> Result<PreparedDocument, RequestFailure> {
        if let known = documents.withLock({ $0.find(text) }) { return .success(known) }
        let document: Document
        do throws(GraphQLSyntaxError) {
            document = try Document(parsing: text, tokenLimit: limits.documentTokens)
        } catch {
            guard error.isLimit else { return .failure(.malformed("Unable to parse GraphQL query.")) }
            return .failure(
                .invalid([
                    ResponseError(
                        "QueryTooLarge: \(error.message)", errorType: "QueryTooLarge",
                        locations: [ResponseError.Location(line: error.line, column: error.column)])
                ]))
        }
        guard document.operations.count + document.fragments.count == document.definitions.count,
            !document.operations.isEmpty
        else { return .failure(.malformed("Unable to parse GraphQL query.")) }
        switch Validator.prepare(document, schema, limits, text: text) {
        case .failure(let failure): return .failure(.invalid(failure.errors))
        case .success(let prepared):
            documents.withLock { $0.insert(text, prepared) }
            return .success(prepared)
        }
    }
}

/// Why a request is answered without running anything.
enum RequestFailure: Error {
    /// The body is no GraphQL request: HTTP 400.
    case malformed(String)
    /// The caller is not let in: HTTP 401, or 503 where it cannot be told now.
    case refused(AuthRefusal)
    /// The document or its variables do not fit the API: HTTP 200 with `data: null`.
    case invalid([ResponseError])

    /// The whole answer.
    func answer(extensions: [UInt8]) -> HubAnswer {
        var writer = JSONWriter()
        let errors: [ResponseError]
        let status: Int
        switch self {
        case .malformed(let message):
            (status, errors) = (400, [ResponseError(message, errorType: ErrorType.malformedHTTPRequest)])
        case .refused(let refusal):
            (status, errors) = (refusal.status, [ResponseError(refusal.message, errorType: refusal.errorType)])
        case .invalid(let found): (status, errors) = (200, found)
        }
        guard status == 200 else {
            let list = errors.map { error -> JSONValue in
                ["errorType": .string(error.errorType ?? ""), "message": .string(error.message)]
            }
            writer.value(["errors": .array(list)])
            return HubAnswer(status: status, body: writer.bytes, errorType: errors.first?.errorType)
        }
        writer.raw("{\"data\":null,\"errors\":")
        writer.value(.array(errors.map(\.json)))
        writer.bytes.append(contentsOf: extensions)
        return HubAnswer(status: 200, body: writer.bytes)
    }
}

/// Prepared documents by the bytes of their text; the least recently used half goes when there are too many, or they are
/// too large together.
struct DocumentCache: Sendable {
    private static let limit = 512
    static let byteLimit = 16 << 20
    /// Longer texts are prepared anew each time, as what is heavier than ``heaviest``, which a hundred creates of a model with
    /// forty fields are not.
    static let longest = 1 << 18
    static let heaviest = byteLimit / 4
    private var entries: [ByteText: (document: PreparedDocument, use: UInt64)] = [:]
    private var clock: UInt64 = 0
    /// About how many bytes all of them take.
    private(set) var bytes = 0
    var count: Int { entries.count }

    mutating func find(_ text: String) -> PreparedDocument? {
        guard let index = entries.index(forKey: ByteText(text)) else { return nil }
        clock += 1
        entries.values[index].use = clock
        return entries.values[index].document
    }

    mutating func insert(_ text: String, _ document: PreparedDocument) {
        let key = ByteText(text)
        guard text.utf8.count <= Self.longest, document.weight <= Self.heaviest, entries[key] == nil else { return }
        while entries.count >= Self.limit || (bytes + document.weight > Self.byteLimit && !entries.isEmpty) {
            let middle = entries.values.map(\.use).sorted()[entries.count / 2]
            entries = entries.filter { $0.value.use > middle }
            bytes = entries.values.reduce(0) { $0 + $1.document.weight }
        }
        clock += 1
        entries[key] = (document, clock)
        bytes += document.weight
    }
}
