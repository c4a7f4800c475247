import Basics
import Models
import System

/// What a site adds to its API: the functions that decide conflicts, and those called before and after mutations.
public struct ResolverOptions: Sendable, Hashable {
    /// The functions by name.
    public var functions: [FunctionDefinition] = []
    /// The conflict strategy of models that declare none.
    public var defaultStrategy: ConflictStrategy = .automerge
    /// The function that judges tokens which nobody else here knows, for rules with `allow: custom`.
    public var authorizer: String?
    /// What a token must look like for that function to be asked; nil where any may.
    private(set) var authorizerPattern: TextPattern?
    /// Whether deliveries to `after` functions that were given up are tried again when the hub starts.
    public var retriesParked = false
    /// The conflict handler of a model; `*` is for every model without one of its own.
    private(set) var handlers: [String: String] = [:]
    /// The function called before and after a mutation, by `Model.operation`.
    private(set) var before: [String: String] = [:]
    private(set) var after: [String: String] = [:]

    /// Nothing is added.
    public init() {}

    /// Takes `NAME=COMMAND` or `NAME=URL`.
    ///
    /// - Throws: ``HubError`` where it is neither, or the name is taken.
    public mutating func addFunction(_ text: String) throws(HubError) {
        let function = try FunctionDefinition(parsing: text)
        guard !functions.contains(where: { $0.name == function.name }) else {
            throw HubError("two functions are called \(function.name); give each its own name")
        }
        functions.append(function)
    }

    /// Takes a POSIX extended regular expression that a whole token must match for the authorizer to be asked.
    ///
    /// - Throws: ``HubError`` where it is none.
    public mutating func setAuthorizerPattern(_ text: String) throws(HubError) {
        do {
            authorizerPattern = try TextPattern(text)
        } catch {
            throw HubError("\(printable(text)) is no pattern: \(error)")
        }
    }

    /// Which function has which number in `/metrics`, which anybody may read and which therefore names none; nil where
    /// there is none.
    public var functionNumbers: String? {
        guard !functions.isEmpty else { return nil }
        let numbers = functions.enumerated().map { "\($0.offset + 1) \($0.element.name)" }
        return "functions by their numbers in /metrics: " + numbers.joined(separator: ", ")
    }

    /// Takes `MODEL=NAME`, or `*=NAME` for every other model whose conflicts a function decides.
    ///
    /// - Throws: ``HubError`` where it is not of that form, or the model has a handler.
    public mutating func addConflictHandler(_ text: String) throws(HubError) {
        try Self.add(text, to: &handlers, form: "MODEL=NAME", "conflict handler")
    }

    /// Takes `MODEL.create=NAME`, also with `update`, `delete`, or `*` for all three.
    ///
    /// - Throws: ``HubError`` where it is not of that form, or the mutation has such a function.
    public mutating func addBefore(_ text: String) throws(HubError) {
        try Self.add(text, to: &before, form: "MODEL.create=NAME", "function before it")
    }

    /// Takes `MODEL.create=NAME`, also with `update`, `delete`, or `*` for all three.
    ///
    /// - Throws: ``HubError`` where it is not of that form, or the mutation has such a function.
    public mutating func addAfter(_ text: String) throws(HubError) {
        try Self.add(text, to: &after, form: "MODEL.create=NAME", "function after it")
    }

    private static func add(
        _ text: String, to names: inout [String: String], form: String, _ what: String
    ) throws(HubError) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
            throw HubError("\(printable(text)) does not say what calls what; write \(form)")
        }
        guard names.updateValue(parts[1], forKey: parts[0]) == nil else {
            throw HubError("\(printable(parts[0])) has two of them; it takes one \(what)")
        }
    }
}

/// What is called for each served model, checked against the schema.
struct Resolvers: Sendable {
    /// One model's strategy and functions.
    struct Model: Sendable, Hashable {
        var strategy: ConflictStrategy
        var handler: String?
        /// By ``CommittedChange/Kind/position``: create, update, delete.
        var before: [String?] = [nil, nil, nil]
        var after: [String?] = [nil, nil, nil]
    }

    /// By the models' order.
    private(set) var models: [Model]
    /// The functions that get what was committed.
    private(set) var afterFunctions: Set<String> = []

    /// Whether any function is called for any model.
    var areAny: Bool {
        models.contains { model in
            model.handler != nil || (model.before + model.after).contains { $0 != nil }
        }
    }

    /// Checks that every model, operation and function named is there, and that every LAMBDA model has its handler.
    init(_ options: ResolverOptions, _ schema: HubSchema) throws(HubError) {
        let names = Set(options.functions.map(\.name))
        func known(_ name: String, for what: String) throws(HubError) -> String {
            guard names.contains(name) else {
                throw HubError(
                    "\(what) names the function \(printable(name)), which is not there; add --function "
                        + "\(printable(name))=COMMAND or a URL")
            }
            return name
        }
        if let authorizer = options.authorizer { _ = try known(authorizer, for: "--authorizer") }
        models = []
        for model in schema.models {
            let name = model.schema.name
            let strategy = model.schema.declaredConflictStrategy ?? options.defaultStrategy
            var handler = options.handlers[name]
            if handler != nil, strategy != .lambda {
                throw HubError(
                    "\(name) has a conflict handler but its strategy is \(strategy.rawValue); "
                        + "declare @conflict(strategy: LAMBDA) or leave the handler out")
            }
            if strategy == .lambda {
                handler = handler ?? options.handlers["*"]
                guard handler != nil else {
                    throw HubError(
                        "\(name): its conflicts are decided by a function (LAMBDA), and none is configured; "
                            + "add --conflict \(name)=NAME and --function NAME=COMMAND")
                }
            }
            models.append(
                Model(
                    strategy: strategy,
                    handler: try handler.map { handler throws(HubError) in
                        try known(handler, for: "--conflict \(name)")
                    }))
        }
        for name in options.handlers.keys where name != "*" && schema.model(name) == nil {
            throw HubError("--conflict names the model \(printable(name)), which the schema does not have")
        }
        func place(
            _ given: [String: String], _ option: String, _ slots: WritableKeyPath<Model, [String?]>
        ) throws(HubError) {
            for (place, name) in given.sorted(by: { $0.key > $1.key }) {
                let parts = place.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
                let operations = ["create": [0], "update": [1], "delete": [2], "*": [0, 1, 2]]
                guard parts.count == 2, let positions = operations[parts[1]] else {
                    throw HubError(
                        "\(option) \(printable(place)): write MODEL.create, MODEL.update, MODEL.delete or MODEL.* "
                            + "with a model of the schema")
                }
                guard let model = schema.model(parts[0]) else {
                    throw HubError(
                        "\(option) \(printable(place)) names the model \(printable(parts[0])), which the schema does not "
                            + "have")
                }
                let function = try known(name, for: "\(option) \(place)")
                for position in positions where models[model.index][keyPath: slots][position] == nil {
                    models[model.index][keyPath: slots][position] = function
                }
                if slots == \Model.after { afterFunctions.insert(function) }
            }
        }
        try place(options.before, "--before", \.before)
        try place(options.after, "--after", \.after)
    }

    subscript(model: ModelInfo) -> Model { models[model.index] }
}

extension RootField.Kind {
    /// The slot of a mutation's functions; nil for what is no mutation.
    var mutationPosition: Int? {
        switch self {
        case .create: 0
        case .update: 1
        case .delete: 2
        default: nil
        }
    }
}
