import Basics
import Models

/// A model as two versions of an app have it: the later one knows a field, a case of the enum and a model more.
enum Versions {
    static let rules = "@auth(rules: [{ allow: groups, groups: [\"everyone\"] }])"
    /// The hub's schema of the earlier version.
    static let earlierText = """
        enum State { open done }
        type Job @model \(rules) { id: ID! title: String! state: State! }
        """
    /// And of the later one.
    static let laterText = """
        enum State { open done held }
        type Job @model \(rules) { id: ID! title: String! state: State! size: Int place: String }
        type Label @model \(rules) { id: ID! text: String! }
        """

    private static let fields = [
        FieldSchema("id", .scalar(.id), isRequired: true), FieldSchema("title", .scalar(.string), isRequired: true),
        FieldSchema("state", .enumeration("State"), isRequired: true),
    ]
    static let earlierJob = ModelSchema("Job", pluralName: "Jobs", fields: fields)
    static let laterJob = ModelSchema(
        "Job", pluralName: "Jobs",
        fields: fields + [FieldSchema("size", .scalar(.int)), FieldSchema("place", .scalar(.string))])
    static let earlier = Schema(models: [earlierJob], enums: ["State": ["open", "done"]])
    static let later = Schema(models: [laterJob, Label.schema], enums: ["State": ["open", "done", "held"]])
}

/// Job in the earlier version.
struct EarlierJob: Model {
    enum State: String, EnumFieldValue { case open, done }

    let id: String
    var title: String
    var state: State = .open

    static let schema = Versions.earlierJob

    init(id: String, title: String, state: State = .open) {
        self.id = id
        self.title = title
        self.state = state
    }

    func encode(into encoder: inout some FieldEncoder) {
        encoder.encode(id)
        encoder.encode(title)
        encoder.encode(state)
    }

    init(from decoder: inout some FieldDecoder) throws(FieldError) {
        id = try decoder.decode()
        title = try decoder.decode()
        state = try decoder.decode()
    }
}

/// Job in the later version.
struct LaterJob: Model {
    enum State: String, EnumFieldValue { case open, done, held }

    let id: String
    var title: String
    var state: State
    var size: Int?
    var place: String?

    static let schema = Versions.laterJob

    init(id: String, title: String, state: State = .open, size: Int? = nil, place: String? = nil) {
        self.id = id
        self.title = title
        self.state = state
        self.size = size
        self.place = place
    }

    func encode(into encoder: inout some FieldEncoder) {
        encoder.encode(id)
        encoder.encode(title)
        encoder.encode(state)
        encoder.encode(size)
        encoder.encode(place)
    }

    init(from decoder: inout some FieldDecoder) throws(FieldError) {
        id = try decoder.decode()
        title = try decoder.decode()
        state = try decoder.decode()
        size = try decoder.decode()
        place = try decoder.decode()
    }

    func with(_ change: (inout LaterJob) -> Void) -> LaterJob {
        var copy = self
        change(&copy)
        return copy
    }
}

/// What only the later version knows.
struct Label: Model {
    let id: String
    let text: String

    static let schema = ModelSchema(
        "Label", pluralName: "Labels",
        fields: [
            FieldSchema("id", .scalar(.id), isRequired: true), FieldSchema("text", .scalar(.string), isRequired: true),
        ])

    init(id: String, text: String) {
        self.id = id
        self.text = text
    }

    func encode(into encoder: inout some FieldEncoder) {
        encoder.encode(id)
        encoder.encode(text)
    }

    init(from decoder: inout some FieldDecoder) throws(FieldError) {
        id = try decoder.decode()
        text = try decoder.decode()
    }
}
