import SQLite

/// Why a database cannot be opened with a schema. The database is left as it was.
public enum MigrationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A newer program wrote it.
    case newerDatabase(database: String, found: Int, supported: Int)
    /// It is another program's database.
    case foreignDatabase(database: String)
    /// The schema cannot take over the rows; each problem names its model and field.
    case refused(database: String, problems: [String])
    /// It has to be migrated first, and the connection may only read.
    case readOnly(database: String)
    /// No backup could be made, so nothing was changed.
    case noBackup(database: String, reason: SQLiteError)
    /// The schema itself cannot be stored.
    case unusableSchema([String])

    /// What is wrong and what to do, in one line.
    public var description: String {
        switch self {
        case .newerDatabase(let database, let found, let supported):
            "\(database) has format \(found), and this program knows formats up to \(supported): install the newer program"
        case .foreignDatabase(let database):
            "\(database) is another program's database: choose another file"
        case .refused(let database, let problems):
            "\(database) does not fit this program's schema, and was left as it is: " + problems.joined(separator: "; ")
        case .readOnly(let database):
            "\(database) must be opened for writing once, to be migrated to this program's schema"
        case .noBackup(let database, let reason):
            "\(database) was not migrated, because no backup could be made: \(reason.message)"
        case .unusableSchema(let problems): "the schema cannot be stored: " + problems.joined(separator: "; ")
        }
    }
}

/// What a migration did to the tables, for the owner to do the same to what it keeps beside them.
public struct SchemaChange: Sendable, Hashable {
    /// A field of a model.
    public struct FieldName: Sendable, Hashable, CustomStringConvertible {
        /// The model.
        public let model: String
        /// The field.
        public let field: String

        /// Names a field.
        public init(_ model: String, _ field: String) {
            self.model = model
            self.field = field
        }

        /// `Bin.code`.
        public var description: String { "\(model).\(field)" }
    }

    /// The format before.
    public var oldFormat: Int
    /// The format now.
    public var newFormat: Int
    /// Models that have a new table.
    public var addedModels: [String] = []
    /// Models whose table went; it had no row.
    public var removedModels: [String] = []
    /// Fields that have a new column.
    public var addedFields: [FieldName] = []
    /// Fields whose embedded type has new members.
    public var grownFields: [FieldName] = []
    /// Fields that were optional and are required, with a default that rows without a value got.
    public var requiredFields: [FieldName] = []
    /// Fields whose column went; no row had a value in it.
    public var removedFields: [FieldName] = []

    /// A change of the format alone.
    public init(oldFormat: Int, newFormat: Int) {
        self.oldFormat = oldFormat
        self.newFormat = newFormat
    }
}
