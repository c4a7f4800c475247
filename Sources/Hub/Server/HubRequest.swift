import AppSync
import Basics
import GraphQL

/// One GraphQL request over HTTP: its credentials as the headers have them, and its body.
public struct HubRequest: Sendable {
    /// What it shows of who sends it.
    public var credentials: Credentials
    /// The JSON body.
    public var body: [UInt8]
    /// Whether only queries are answered: what comes by GET changes nothing.
    public var isReadOnly: Bool
    /// Whether the reader has left it to the thread that commits, which then answers it whatever it is.
    var isReturned = false
    /// How it is named, and when it came; nil where it came by no network.
    var mark: RequestMark?

    /// Puts a request together.
    public init(_ credentials: Credentials, body: [UInt8], isReadOnly: Bool = false) {
        self.credentials = credentials
        self.body = body
        self.isReadOnly = isReadOnly
    }

    /// Puts a request under an API key together.
    public init(apiKey: String?, person: String? = nil, device: String? = nil, body: [UInt8]) {
        self.init(Credentials(apiKey: apiKey, person: person, device: device), body: body)
    }
}

/// The answer to one request.
public struct HubAnswer: Sendable, Hashable {
    /// The HTTP status: 200 for everything that GraphQL says, 400, 401, or a retryable 5xx.
    public var status: Int
    /// The JSON body.
    public var body: [UInt8]
    /// The `x-amzn-ErrorType` header, where there is one.
    public var errorType: String?

    /// Puts an answer together.
    public init(status: Int, body: [UInt8], errorType: String? = nil) {
        self.status = status
        self.body = body
        self.errorType = errorType
    }

    /// An answer that is one error in AppSync's shape.
    static func error(_ status: Int, _ errorType: String, _ message: String) -> HubAnswer {
        let json: JSONValue = ["errors": [["errorType": .string(errorType), "message": .string(message)]]]
        return HubAnswer(status: status, body: json.bytes, errorType: errorType)
    }
}

/// A change that has been committed: what subscriptions are fed with.
public struct CommittedChange: Sendable, Hashable {
    /// What happened.
    public enum Kind: Sendable, Hashable {
        case create, update, delete

        /// The position of its subscription in a model's list.
        var position: Int {
            switch self {
            case .create: 0
            case .update: 1
            case .delete: 2
            }
        }
    }

    /// What happened.
    public let kind: Kind
    let model: Int
    let row: HubRow
    /// The model's name.
    public let modelName: String
    /// The row as those are told of it who could read it before the change and cannot now; nil where the change takes
    /// nobody's sight.
    var departed: HubRow?
    /// The row as it was before; nil where it is new.
    var before: HubRow?

    /// The record's version after the change.
    public var version: Int64 { row.version }
    /// The stamp of the commit.
    public var lastChangedAt: Int64 { row.lastChangedAt }
}

/// A request that may run: who asks, what, and with which variables.
struct RunnableRequest {
    var rights: CallerRights
    let document: PreparedDocument
    let operation: PreparedOperation
    /// The variables as they came.
    let given: JSONObject
    let variables: Variables
    /// Mutation ids by answer key.
    let mutationIDs: [String: String]
    /// What is carried out all or not at all, by answer key.
    var units: [String: Int] = [:]
    /// What is compared or fetched by digests, by answer key.
    var digests: [String: DigestRequest] = [:]
    /// What is done to fields whatever they hold, by answer key.
    var operations: [String: JSONObject] = [:]
    /// By answer key, what an update's embedded values were before it, by field.
    var bases: [String: JSONObject] = [:]
    /// By answer key, what must be carried out before it, or it is not either.
    var needs: [String: [String]] = [:]
    /// The life of the database that its mutations are meant for; nil for any.
    var epoch: String?
    /// Whether what leaves a filter is told.
    var asksLeft = false
    /// Names it in the log.
    var id: String?
}

/// The variables of a request, checked.
struct Variables {
    var json: [String: JSONValue] = [:]
    /// Variables that are a mutation's whole input, in storage form.
    var inputs: [String: MutationInput] = [:]
    /// Inputs that do not fit, where only their own mutation of a batch fails for it.
    var failures: [String: InputError] = [:]

    /// Checks the variables of an operation.
    ///
    /// A bad variable fails the whole request, as GraphQL says; except that in a batch, whose sender sends only what failed
    /// again, a bad input fails its own mutation, and the others stand.
    init(_ values: JSONObject, _ operation: PreparedOperation, _ schema: HubSchema, isBatch: Bool) throws(InputError) {
        // There may be many of both.
        let values = Dictionary(values.members.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
        for variable in operation.variables {
            let given = values[variable.name] ?? variable.defaultValue
            let coercion = Coercion(schema: schema, name: variable.name)
            switch variable.role {
            case .create, .update, .delete:
                guard let given, !given.isNull else {
                    if variable.type.isNonNull { throw coercion.nullError(variable.type) }
                    continue
                }
                do throws(InputError) {
                    inputs[variable.name] = try coercion.mutationInput(
                        given, variable.role, variable.type.nullable.name)
                } catch {
                    guard isBatch else { throw error }
                    failures[variable.name] = error
                }
            case .plain, .filter:
                if given == nil, !variable.type.isNonNull { continue }
                json[variable.name] = try coercion.value(given, variable.type)
            }
        }
    }
}
