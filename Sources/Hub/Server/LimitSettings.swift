import Basics

/// The settings of a hub's limits: each of ``HubLimits`` has one, whose standard is what it has there.
public enum LimitSettings {
    /// What may be configured, in the order in which help lists it.
    public static let definitions: [SettingDefinition] = all.map(\.definition)

    /// What was configured comes to.
    public static func limits(_ settings: Settings) -> HubLimits {
        var limits = HubLimits()
        for entry in all { entry.apply(settings, &limits) }
        return limits
    }

    private struct Entry: Sendable {
        let definition: SettingDefinition
        let apply: @Sendable (Settings, inout HubLimits) -> Void
    }

    private typealias Path<Value> = WritableKeyPath<HubLimits, Value> & Sendable

    private static func count(
        _ name: String, _ path: any Path<Int>, _ bounds: ClosedRange<Int>, _ help: String
    ) -> Entry {
        let setting = Setting<Int>.integer(name, bounds, default: HubLimits()[keyPath: path], help: help)
        return Entry(definition: setting.definition) { $1[keyPath: path] = $0[setting] }
    }

    private static func size(
        _ name: String, _ path: any Path<Int>, _ bounds: ClosedRange<Int>, _ help: String
    ) -> Entry {
        let setting = Setting<Int>.size(name, bounds, default: HubLimits()[keyPath: path], help: help)
        return Entry(definition: setting.definition) { $1[keyPath: path] = $0[setting] }
    }

    private static func time(_ name: String, _ path: any Path<Int64>, atLeast least: String, _ help: String) -> Entry {
        let standard = Self.text(ofTime: HubLimits()[keyPath: path])
        let setting = Setting<Int64>.duration(name, atLeast: least, default: standard, help: help)
        return Entry(definition: setting.definition) { $1[keyPath: path] = $0[setting] }
    }

    private static func choice(_ name: String, _ path: any Path<Bool>, _ help: String) -> Entry {
        let standard = HubLimits()[keyPath: path] ? "yes" : "no"
        let setting = Setting<String>.choice(name, ["yes", "no"], default: standard, help: help)
        return Entry(definition: setting.definition) { $1[keyPath: path] = $0[setting] == "yes" }
    }

    /// A span as settings write it, in the largest unit that it is whole in.
    private static func text(ofTime milliseconds: Int64) -> String {
        for (unit, name) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")] as [(Int64, String)]
        where milliseconds % unit == 0 {
            return "\(milliseconds / unit)\(name)"
        }
        return "\(milliseconds)ms"
    }

    private static let all: [Entry] = [
        count("limit-tokens", \.documentTokens, 100...1_000_000, "tokens of a document"),
        count("limit-depth", \.depth, 2...1_000, "how deep a document's fields may nest"),
        count("limit-fields", \.fields, 10...1_000_000, "fields of a document, its fragments spread out"),
        count("limit-resolvers", \.resolvers, 1...10_000_000, "root fields and relations that one request resolves"),
        count("limit-rows", \.rows, 100...1_000_000_000, "rows that one request looks at"),
        count("limit-filter", \.filterParts, 1...1_000_000, "comparisons and connectives of one filter"),
        count(
            "limit-condition", \.conditionParts, 1...1_000_000,
            "comparisons and connectives of one mutation's condition"),
        time("limit-time", \.milliseconds, atLeast: "10ms", "how long one request of queries may run"),
        count(
            "limit-related-rows", \.relatedRows, 10...1_000_000_000,
            "rows that relations look at for one request of mutations, or one connection's events"),
        time(
            "limit-related-time", \.relatedMilliseconds, atLeast: "10ms", "how long they may take for it"),
        size("limit-answer", \.answerBytes, 16 << 10...1 << 30, "bytes of one answer; a page ends early at it"),
        size("limit-item", \.itemBytes, 1 << 10...64 << 20, "bytes of one record"),
        choice("introspection", \.allowsIntrospection, "whether __schema and __type are answered"),
        count(
            "limit-subscriptions", \.subscriptions, 1...100_000,
            "subscriptions, and operations under way, of one connection"),
        size(
            "limit-subscription-memory", \.subscriptionBytes, 64 << 10...4 << 30,
            "bytes that the documents and variables of one caller's subscriptions take in memory"),
        time(
            "limit-subscription-time", \.subscriptionMilliseconds, atLeast: "10ms",
            "how long the documents and events of one caller's subscriptions may make commits wait"),
        count(
            "limit-subscription-parts", \.subscriptionFilter.parts, 1...10_000,
            "comparisons and connectives of a subscription's filter"),
        count(
            "limit-subscription-fields", \.subscriptionFilter.fields, 1...1_000,
            "fields that one alternative of a subscription's filter names"),
        count(
            "limit-subscription-alternatives", \.subscriptionFilter.combinations, 1...10_000,
            "alternatives of a subscription's filter, multiplied out"),
        count(
            "limit-subscription-values", \.subscriptionFilter.values, 1...10_000,
            "values of one `in` or `notIn` of a subscription's filter"),
        count(
            "limit-subscription-characters", \.subscriptionFilter.characters, 1...100_000,
            "characters of a text in a subscription's filter"),
        count(
            "limit-subscription-levels", \.subscriptionFilter.levels, 1...100,
            "levels of `and` and `or` of a subscription's filter"),
        count("limit-frame-burst", \.frameBurst, 10...1_000_000, "frames that one connection may send at once"),
        count(
            "limit-frames", \.framesPerSecond, 1...1_000_000, "frames that it may send each second afterwards"),
        size("limit-frame", \.frameBytes, 4 << 10...64 << 20, "bytes of one realtime message from a client"),
        time(
            "limit-handshake", \.handshakeMilliseconds, atLeast: "1s",
            "how long a connection may take to say who it is"),
        time("limit-connection", \.connectionMilliseconds, atLeast: "1m", "how long a connection lives"),
        count("limit-connections", \.connections, 10...1_000_000, "connections at once; more are closed as they come"),
        count(
            "limit-connections-per-address", \.connectionsPerAddress, 1...1_000_000,
            "connections of one address that is not this machine's own"),
        size("limit-body", \.bodyBytes, 16 << 10...256 << 20, "bytes of one request's body"),
        count(
            "limit-queue", \.waitingRequests, 1...1_000_000,
            "requests that may wait for a commit, and as many to be read, over HTTP and sockets; more are answered with 503"
        ),
        count(
            "limit-queue-per-caller", \.waitingReadsPerCaller, 1...1_000_000,
            "how many of those that wait to be read may be one caller's, which is a key or a person"),
        count("limit-commit", \.requestsPerCommit, 1...100_000, "requests of one commit at most"),
    ]
}
