import AppSync
import Basics
import Models

/// Which credentials are used for which model: Amplify's `authModeStrategy`.
public enum AuthModeStrategy: Sendable, Hashable {
    /// The driver's own credentials for everything.
    case `default`
    /// By model and operation the providers that its `@auth` rules name, in Amplify's order; where the backend refuses
    /// one as unauthorized, the next is tried. Changes travel one by one, since each has its own list; those that go as one
    /// travel together, with a provider that does for all of them.
    case multiAuth
}

extension ModelSchema {
    /// The providers that may be allowed to do something with the model, the most particular rule first.
    func authModes(_ operation: AuthRule.Operation, available: Set<AuthProvider>) -> [AuthProvider] {
        let rules = authRules.filter { $0.operations.contains(operation) }
        let sorted = rules.enumerated().sorted { a, b in
            (a.element.allow.place, a.element.authProvider.place, a.offset)
                < (b.element.allow.place, b.element.authProvider.place, b.offset)
        }
        var result: [AuthProvider] = []
        for (_, rule) in sorted where available.contains(rule.authProvider) {
            if !result.contains(rule.authProvider) { result.append(rule.authProvider) }
        }
        return result
    }
}

extension AuthRule.Strategy {
    /// The order in which Amplify tries rules.
    fileprivate var place: Int {
        switch self {
        case .custom: 0
        case .owner: 1
        case .groups: 2
        case .private: 3
        case .public: 4
        }
    }
}

extension AuthProvider {
    fileprivate var place: Int {
        switch self {
        case .function: 0
        case .userPools: 1
        case .oidc: 2
        case .iam: 3
        case .apiKey: 4
        }
    }
}

extension HTTPAnswer {
    /// Whether everything that was asked for was refused to this caller, so that another may be tried: nothing of it has
    /// been done. What goes as one is refused for one of its changes, and the others say that they went with it.
    var isRefusedAsUnauthorized: Bool {
        if status == 401 || status == 403 { return true }
        guard (200..<300).contains(status), let json = try? JSONValue(parsing: body),
            let errors = json["errors"]?.array, !errors.isEmpty
        else { return false }
        let hasData = json["data"]?.object?.members.contains { !$0.value.isNull } ?? false
        let causes = ResponseError.list(json: json["errors"]).filter { $0.errorType != ErrorType.transactionCanceled }
        return !hasData && !causes.isEmpty && causes.allSatisfy { ErrorType.isAuthorization($0.errorType) }
    }
}
