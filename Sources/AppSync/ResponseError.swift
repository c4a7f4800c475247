import Basics

/// One entry of a GraphQL answer's `errors`, in AppSync's shape: `errorType`, `data` and `errorInfo` stand at its top.
public struct ResponseError: Error, Sendable, Hashable, CustomStringConvertible {
    /// One step of the path to the field that failed.
    public enum PathElement: Sendable, Hashable {
        case field(String)
        case index(Int)
    }

    /// A place in the document, counted from 1.
    public struct Location: Sendable, Hashable {
        /// The line.
        public let line: Int
        /// The column.
        public let column: Int

        /// Names a place.
        public init(line: Int, column: Int) {
            self.line = line
            self.column = column
        }
    }

    /// What is wrong, for a person.
    public var message: String
    /// The kind, one of ``ErrorType``'s or another; nil for validation errors.
    public var errorType: String?
    /// The way to the field; empty where the whole request failed.
    public var path: [PathElement]
    /// Where in the document.
    public var locations: [Location]
    /// The server's record with a refused mutation.
    public var data: JSONValue?
    /// Further facts.
    public var errorInfo: JSONValue?
    /// The numeric code of realtime errors.
    public var errorCode: Int?

    /// Puts an error together.
    public init(
        _ message: String, errorType: String? = nil, path: [PathElement] = [], locations: [Location] = [],
        data: JSONValue? = nil, errorInfo: JSONValue? = nil, errorCode: Int? = nil
    ) {
        self.message = message
        self.errorType = errorType
        self.path = path
        self.locations = locations
        self.data = data
        self.errorInfo = errorInfo
        self.errorCode = errorCode
    }

    /// The kind and the message.
    public var description: String { errorType.map { "\($0): \(message)" } ?? message }

    /// Whether a page's token is refused: the pages must be asked for from the first.
    public var isWornToken: Bool {
        let message = message.lowercased()
        return message.includes("pagination token") || message.includes("nexttoken")
    }

    /// The root field or alias that failed.
    public var rootField: String? {
        if case .field(let name)? = path.first { name } else { nil }
    }

    /// Reads one entry; `errorType`, `data` and `errorInfo` may stand in `extensions` too, and anything may be missing.
    public init(json: JSONValue) {
        func member(_ key: String) -> JSONValue? {
            if let value = json[key], !value.isNull { return value }
            if let value = json["extensions"]?[key], !value.isNull { return value }
            return nil
        }
        message = json["message"]?.string ?? json.string ?? "error without a message"
        errorType = member("errorType")?.string
        path = (json["path"]?.array ?? []).compactMap { element in
            element.string.map { .field($0) } ?? element.integer.map { .index(Int(truncatingIfNeeded: $0)) }
        }
        locations = (json["locations"]?.array ?? []).compactMap { location in
            guard let line = location["line"]?.integer, let column = location["column"]?.integer else { return nil }
            return Location(line: Int(truncatingIfNeeded: line), column: Int(truncatingIfNeeded: column))
        }
        data = member("data")
        errorInfo = member("errorInfo")
        errorCode = member("errorCode")?.integer.map { Int(truncatingIfNeeded: $0) }
    }

    /// Reads `errors`, which is an array, or (seen from AppSync's realtime end) one object.
    public static func list(json: JSONValue?) -> [ResponseError] {
        switch json {
        case .array(let entries)?: entries.map { ResponseError(json: $0) }
        case .object?: json.map { [ResponseError(json: $0)] } ?? []
        default: []
        }
    }

    /// The wire form of an HTTP answer's entry: every key AppSync writes, in its order.
    public var json: JSONValue {
        var object = JSONObject()
        object["path"] = path.isEmpty ? .null : .array(path.map(\.json))
        if let data { object["data"] = data } else if errorType != nil { object["data"] = .null }
        if let errorType {
            object["errorType"] = .string(errorType)
            object["errorInfo"] = errorInfo ?? .null
        }
        object["locations"] =
            locations.isEmpty
            ? .null
            : .array(
                locations.map {
                    ["line": .integer(Int64($0.line)), "column": .integer(Int64($0.column)), "sourceName": nil]
                })
        object["message"] = .string(message)
        return .object(object)
    }

    /// The wire form of a realtime frame's entry.
    public var realtimeJSON: JSONValue {
        var object = JSONObject()
        if let errorType { object["errorType"] = .string(errorType) }
        object["message"] = .string(message)
        if let errorCode { object["errorCode"] = .integer(Int64(errorCode)) }
        return .object(object)
    }
}

extension ResponseError.PathElement {
    var json: JSONValue {
        switch self {
        case .field(let name): .string(name)
        case .index(let index): .integer(Int64(index))
        }
    }
}

/// The `errorType` texts of AppSync.
public enum ErrorType {
    /// A stale version was refused; `data` is the server's record.
    public static let conflictUnhandled = "ConflictUnhandled"
    /// The conflict handler itself failed.
    public static let conflictError = "ConflictError"
    /// The conflict handler ran out of tries.
    public static let maxConflicts = "MaxConflicts"
    /// A condition, or the guard of a create or update, was false.
    public static let conditionalCheckFailed = "ConditionalCheckFailedException"
    /// Another mutation of the same unit was refused, so that this one was not carried out either.
    public static let transactionCanceled = "TransactionCanceledException"
    /// The service's database began another life since the one that the mutation was meant for.
    public static let otherLife = "OtherLife"
    /// A malformed write.
    public static let badRequest = "BadRequest"
    /// A fault of the server.
    public static let internalFailure = "InternalFailure"
    /// Not to be had on this channel or source.
    public static let unsupportedOperation = "UnsupportedOperation"
    /// The caller may not do this (HTTP 200, one field).
    public static let unauthorized = "Unauthorized"
    /// The caller is not known (HTTP 401, or a realtime frame).
    public static let unauthorizedException = "UnauthorizedException"
    /// Switched off.
    public static let operationDisabled = "OperationDisabled"
    /// The body is no GraphQL request (HTTP 400).
    public static let malformedHTTPRequest = "MalformedHttpRequestException"
    /// A realtime frame that is malformed.
    public static let badRequestException = "BadRequestException"
    /// A subscription id that is in use.
    public static let duplicatedOperation = "DuplicatedOperationError"
    /// Too many subscriptions on one connection.
    public static let maxSubscriptionsReached = "MaxSubscriptionsReachedError"
    /// A quota was exceeded.
    public static let limitExceeded = "LimitExceededError"

    /// Whether the kind says that the caller is unknown or may not; long AWS forms (`…#UnauthorizedException`) count.
    public static func isAuthorization(_ errorType: String?) -> Bool {
        guard let errorType else { return false }
        let short = errorType.split(separator: "#").last.map(String.init) ?? errorType
        return short == unauthorized || short == unauthorizedException || short == "NotAuthorizedException"
    }
}
