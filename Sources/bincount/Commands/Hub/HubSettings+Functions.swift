import Basics
import Hub
import Models

/// The settings of functions: what decides conflicts, and what is called before and after mutations.
extension HubSettings {
    static let function = Setting<[String]>.texts(
        "function", "NAME=COMMAND|URL",
        help: """
            code of the site: a program with its arguments (in the environment without), or an HTTP endpoint; it takes \
            JSON and gives JSON
            """)
    static let functionTime = Setting<Int64>.duration(
        "function-time", atLeast: "50ms", default: "10s", help: "how long one call of a function may take")
    static let functionCalls = Setting<Int>.integer(
        "function-calls", 1...256, default: 8, help: "how many calls of one function run at a time")
    static let conflictStrategy = Setting<String>.choice(
        "conflict-strategy", ConflictStrategy.allCases.map(\.rawValue), default: ConflictStrategy.automerge.rawValue,
        help: "what happens to a mutation on a stale version where the model has no @conflict")
    static let conflict = Setting<[String]>.texts(
        "conflict", "MODEL=NAME",
        help: "the function that decides the conflicts of a LAMBDA model; *=NAME for the others")
    static let before = Setting<[String]>.texts(
        "before", "MODEL.create=NAME",
        help: "call a function before a mutation (create, update, delete, *): it may change the input or refuse")
    static let after = Setting<[String]>.texts(
        "after", "MODEL.create=NAME", help: "give a function what was committed, at least once")
    static let authorizer = Setting<[String]>.texts(
        "authorizer", "NAME",
        help: "the function that judges tokens which nobody else knows, for rules with allow: custom")
    static let authorizerPattern = Setting<String?>.text(
        "authorizer-pattern", "REGEX",
        help: """
            what a whole token must match for that function to be asked (a POSIX extended regular expression); others \
            are refused at once
            """)
    static let retryDeliveries = Setting<Bool>.flag(
        "retry-deliveries", help: "try again what functions after mutations would not take until it was given up")

    /// All of them.
    static let functions: [SettingDefinition] = [
        function.definition, functionTime.definition, functionCalls.definition, conflictStrategy.definition,
        conflict.definition, before.definition, after.definition, authorizer.definition, authorizerPattern.definition,
        retryDeliveries.definition,
    ]

    /// What they come to.
    ///
    /// - Throws: `UsageError` where one is not of its form, or names a program that is not there.
    static func resolvers(_ settings: Settings) throws -> ResolverOptions {
        var options = ResolverOptions()
        do throws(HubError) {
            for text in settings[function] { try options.addFunction(text) }
            for text in settings[conflict] { try options.addConflictHandler(text) }
            for text in settings[before] { try options.addBefore(text) }
            for text in settings[after] { try options.addAfter(text) }
            guard settings[authorizer].count < 2 else { throw HubError("there is one --authorizer at most") }
            options.authorizer = settings[authorizer].first
            if let pattern = settings[authorizerPattern] {
                guard options.authorizer != nil else { throw HubError("--authorizer-pattern is for an --authorizer") }
                try options.setAuthorizerPattern(pattern)
            }
        } catch {
            throw UsageError(error.message)
        }
        for index in options.functions.indices {
            options.functions[index].timeoutMilliseconds = settings[functionTime]
            options.functions[index].concurrency = settings[functionCalls]
        }
        options.defaultStrategy = ConflictStrategy(rawValue: settings[conflictStrategy]) ?? .automerge
        options.retriesParked = settings[retryDeliveries]
        return options
    }
}
