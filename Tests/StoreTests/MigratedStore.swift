import Basics
import ModelTables
import Models
import System

@testable import DataStore

/// A store in a directory, which is opened with one schema after another.
struct MigratedStore {
    let directory: TempDirectory

    init() throws { directory = try TempDirectory() }

    /// A field of text.
    static func text(_ name: String) -> FieldSchema { FieldSchema(name, .scalar(.string)) }

    /// A model with a key and these fields.
    static func model(_ name: String, _ fields: [FieldSchema]) -> ModelSchema {
        ModelSchema(
            name, pluralName: name + "s", fields: [FieldSchema("id", .scalar(.id), isRequired: true)] + fields)
    }

    func open(_ schema: Schema, _ versions: [SchemaVersion] = []) throws -> StoreCore {
        try StoreCore(
            schema: schema, at: .directory(directory.path),
            options: testOptions {
                $0.random = SeededRandom(seed: UInt64(versions.count + 1))
                $0.migrations = versions
            })
    }
}
