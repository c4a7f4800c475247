import Basics

/// A change of a schema that comparing the old with the new cannot tell: a new name, a value in another form, a loss that
/// is meant.
///
/// Everything else (new models, fields, indexes; what may become optional) needs no step. Names are those that hold at the
/// step's place in the sequence. Where a store skips versions, a step of a later one may name what a version between brought
/// in: it has nothing to do then. A name that is missing in the first of them is refused.
public enum SchemaStep: Sendable {
    /// A model has another name.
    case renameModel(String, to: String)
    /// A field has another name.
    case renameField(_ model: String, _ field: String, to: String)
    /// A case of an enum has another name, in whatever field it is held.
    case renameCase(_ enumeration: String, _ old: String, to: String)
    /// A model goes with its records; refused where changes of it wait to be sent.
    case removeModel(String)
    /// A field goes with its values; a ``rewrite(_:_:)`` of the same version still sees them, until another field takes the
    /// name. What a later step puts under the name stays; where a ``rewrite(_:_:)`` leaves there what was, only if it puts a
    /// value there without it too. Use ``convert(_:_:_:)`` for values that follow from the field's own.
    case removeField(_ model: String, _ field: String)
    /// A field's values have another form: given and returned as wire values, never null.
    case convert(_ model: String, _ field: String, @Sendable (JSONValue) throws -> JSONValue)
    /// A record's fields follow from one another in another way.
    ///
    /// It gets wire values by field; a missing value has no member. It is also called for the changed fields of mutations
    /// that wait, which hold a part of the fields only.
    case rewrite(_ model: String, @Sendable (inout JSONObject) throws -> Void)
}

/// The steps that lead to one version of a schema.
public struct SchemaVersion: Sendable {
    /// The version they lead to: 1, 2, 3 …
    public let number: Int
    /// The steps in order.
    public let steps: [SchemaStep]

    /// Names the steps of a version.
    public init(_ number: Int, _ steps: [SchemaStep]) {
        precondition(number > 0, "A schema's version is 1 or more.")
        self.number = number
        self.steps = steps
    }
}
