/// What an app offers to its screen files: a file may name nothing else.
public struct ScreenContract: Sendable {
    /// What a binding can be shown as.
    public enum BindingKind: Hashable, Sendable {
        /// Text, a number or a condition, only to be read.
        case value
        /// Something that is typed.
        case input
        /// A list with the names of its columns.
        case list(columns: Set<String>)
        /// A bar of one character for each place.
        case strip
    }

    /// The bindings by path.
    public var bindings: [String: BindingKind]
    /// The ids of the actions.
    public var actions: Set<String>
    /// The ids of the messages that the app shows.
    public var messages: Set<String>
    /// The screens that must be there.
    public var screens: Set<String>
    /// The kinds of scans; `any` is always known.
    public var scans: Set<String>

    /// Makes a contract.
    public init(
        bindings: [String: BindingKind] = [:], actions: Set<String> = [], messages: Set<String> = [],
        screens: Set<String> = [], scans: Set<String> = []
    ) {
        self.bindings = bindings
        self.actions = actions
        self.messages = messages
        self.screens = screens
        self.scans = scans
    }

    /// Makes a contract from lists of names.
    public init(
        values: [String], inputs: [String], lists: [String: Set<String>], actions: [String], messages: [String],
        screens: [String], scans: [String]
    ) {
        self.init(
            bindings: lists.mapValues { .list(columns: $0) }, actions: Set(actions), messages: Set(messages),
            screens: Set(screens), scans: Set(scans))
        for name in values { bindings[name] = .value }
        for name in inputs { bindings[name] = .input }
    }
}
