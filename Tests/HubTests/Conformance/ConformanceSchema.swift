import GraphQL
import Models

/// The schema that the reference's own examples suppose: notes, and one model for each kind of key and relation.
enum ConformanceSchema {
    static let schema = try! Schema(sdl: text)

    private static let all = "@auth(rules: [{ allow: groups, groups: [\"everyone\"] }])"

    static let text = """
        enum Status { OPEN CLOSED }
        type Place { row: Int! name: String }
        "A note."
        type Note @model \(all) {
          id: ID!
          "What it says first."
          title: String
          body: String
          severity: Int
          done: Boolean
          score: Float
          status: Status
          statuses: [Status!]
          tags: [String]
          place: Place
          dueAt: AWSDateTime
          day: AWSDate
          extra: AWSJSON
          stamp: AWSTimestamp
          old: String @deprecated(reason: "Use title.")
        }
        type Strict @model @conflict(strategy: OPTIMISTIC_CONCURRENCY) \(all) { id: ID! title: String }
        type Reading @model \(all) {
          device: ID! @primaryKey(sortKeyFields: ["day", "number"])
          day: AWSDate!
          number: Int!
          value: Int @index(name: "byValue", sortKeyFields: ["device", "number"], queryField: "readingsByValue")
        }
        type Lot @model \(all) { code: String! @primaryKey(sortKeyFields: ["place"]) place: Int! label: String @default(value: "none") @index(name: "gsi-Lot.label", sortKeyFields: ["place", "code"]) }
        type Box @model \(all) {
          id: ID!
          code: String @index(name: "boxesByCode", queryField: "boxesByCode")
          items: [Item] @hasMany(indexName: "itemsByBox", fields: ["id"])
          lid: Lid @hasOne(fields: ["lidID"])
          lidID: ID
          labels: [Label] @manyToMany(relationName: "BoxLabels")
        }
        type Lid @model \(all) { id: ID! colour: String }
        type Item @model \(all) {
          id: ID!
          weight: Int
          boxID: ID @index(name: "itemsByBox", sortKeyFields: ["weight"], queryField: "itemsByBox")
          box: Box @belongsTo(fields: ["boxID"])
        }
        type Label @model \(all) { id: ID! text: String boxes: [Box] @manyToMany(relationName: "BoxLabels") }
        type Diary @model @auth(rules: [{ allow: owner }]) { id: ID! text: String }
        type Renamed @model(queries: { get: "oneRenamed", list: "allRenamed" }, mutations: { create: "make", delete: null }, subscriptions: { onCreate: ["made"], onDelete: null })
          \(all) { id: ID! }
        type Quiet @model(subscriptions: null) \(all) { id: ID! }
        type person @model \(all) { id: ID! name: String }
        type AVeryLongNameOfAModelThatGoesOnAndOnAndOnForEver @model \(all) { id: ID! }
        type Named @model(timestamps: { createdAt: "madeAt", updatedAt: null }) \(all) { id: ID! createdAt: AWSDateTime }
        """
}
