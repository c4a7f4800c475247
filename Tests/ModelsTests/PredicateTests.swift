import Basics
import Models
import Testing
import WarehouseModels

@Suite("Conditions are made with operators")
struct PredicateTests {
    private func check(_ predicate: Predicate<Bin>, _ node: PredicateNode) { #expect(predicate.node == node) }

    @Test func everyComparisonNamesItsFieldAndValue() {
        check(Bin.code == "A", .field("code", .equal(.text("A"))))
        check(Bin.code != "A", .field("code", .notEqual(.text("A"))))
        check(Bin.walkSequence < 1, .field("walkSequence", .less(.integer(1))))
        check(Bin.walkSequence <= 1, .field("walkSequence", .lessOrEqual(.integer(1))))
        check(Bin.walkSequence > 1, .field("walkSequence", .greater(.integer(1))))
        check(Bin.walkSequence >= 1, .field("walkSequence", .greaterOrEqual(.integer(1))))
        check(Bin.walkSequence.between(1, 5), .field("walkSequence", .between(.integer(1), .integer(5))))
        check(Bin.kind.isIn([.rack, .bulk]), .field("kind", .isIn([.text("rack"), .text("bulk")])))
        check(Bin.kind.isNotIn([.dock]), .field("kind", .notIn([.text("dock")])))
        check(Bin.code.beginsWith("B1"), .field("code", .beginsWith("B1")))
        check(Bin.code.contains("%"), .field("code", .contains(.text("%"))))
        check(Bin.code.notContains("_"), .field("code", .notContains(.text("_"))))
        check(Bin.code.containsIgnoringCase("b"), .field("code", .containsIgnoringCase("b")))
        check(Bin.aisle.exists(), .field("aisle", .exists(true)))
        check(Bin.aisle.exists(false), .field("aisle", .exists(false)))
    }

    @Test func optionalFieldsCompareWithValuesAndNil() {
        check(Bin.aisle == "4", .field("aisle", .equal(.text("4"))))
        check(Bin.aisle == nil, .field("aisle", .equal(.null)))
        check(Bin.aisle != nil, .field("aisle", .notEqual(.null)))
        let known: String? = "x"
        check(Bin.aisle == known, .field("aisle", .equal(.text("x"))))
    }

    @Test func valuesAreInTheirStorageForm() {
        check(Bin.active == true, .field("active", .equal(.integer(1))))
        #expect((BookLine.quantity > Decimal3(2)).node == .field("quantity", .greater(.integer(2000))))
        #expect(
            (LineVerdict.varianceValue <= Decimal4(units: 5)).node == .field("varianceValue", .lessOrEqual(.integer(5)))
        )
        #expect((BookSnapshot.asOf < DateTime(milliseconds: 7)).node == .field("asOf", .less(.integer(7))))
    }

    @Test func conditionsAreJoined() {
        let a = Bin.code == "A"
        let b = Bin.active == true
        check(a && b, .and([a.node, b.node]))
        check(a || b, .or([a.node, b.node]))
        check(!a, .not(a.node))
        check(a && b || !a, .or([.and([a.node, b.node]), .not(a.node)]))
        check(.all, .all)
    }

    @Test func sortsAndPagesNameTheirParts() {
        #expect(SortKey<Bin>.ascending(Bin.walkSequence).key == SortKeyNode("walkSequence", .ascending))
        #expect(SortKey<Bin>.descending(Bin.aisle).key == SortKeyNode("aisle", .descending))
        #expect(Page.first(50) == Page(offset: 0, limit: 50))
    }
}

@Suite("Schemas answer for themselves")
struct ModelSchemaTests {
    @Test func fieldsAreFoundByName() {
        #expect(Bin.schema.position(of: "id") == 0)
        #expect(Bin.schema.field("zoneID")?.type == .scalar(.id))
        #expect(Bin.schema.field("zone") == nil)
        #expect(warehouse.model("Bin") == Bin.schema)
        #expect(warehouse.model("bin") == nil)
    }

    @Test("D10: a cycle keeps the schemas order")
    func aCycleKeepsTheSchemasOrder() {
        func model(_ name: String, _ parents: String...) -> ModelSchema {
            ModelSchema(
                name, pluralName: name, fields: [FieldSchema("id", .scalar(.id))],
                relations: parents.map { RelationSchema("r\($0)", .belongsTo, target: $0, fields: ["id"]) })
        }
        let schema = Schema(models: [model("A", "C"), model("B", "A"), model("C", "B"), model("D", "D", "Missing")])
        #expect(schema.modelsInDependencyOrder.map(\.name) == ["B", "C", "A", "D"])
    }

    @Test("D10: what refers to what is found from whichever side says so, and once")
    func references() {
        func model(_ name: String, _ fields: [String], _ relations: [RelationSchema]) -> ModelSchema {
            ModelSchema(
                name, pluralName: name, fields: (["id"] + fields).map { FieldSchema($0, .scalar(.id)) },
                relations: relations)
        }
        let schema = Schema(models: [
            model(
                "Comment", ["postID", "pairedID"],
                [RelationSchema("post", .belongsTo, target: "Post", fields: ["postID"])]),
            model("Picture", [], []),
            model(
                "Post", ["coverID"],
                [
                    // Said by both sides, by one, by one whose field nobody has, and by an own key.
                    RelationSchema("comments", .hasMany, target: "Comment", fields: ["postID"]),
                    RelationSchema("pair", .hasOne, target: "Comment", fields: ["pairedID"], isKeyInTarget: true),
                    RelationSchema("odd", .hasMany, target: "Comment", fields: ["nothing"]),
                    RelationSchema("cover", .hasOne, target: "Picture", fields: ["coverID"]),
                ]),
        ])
        let found = schema.models.map { schema.references(of: $0).map { "\($0.fields[0]) \($0.target)" } }
        #expect(found == [["postID Post", "pairedID Post"], [], ["coverID Picture"]])
        #expect(schema.modelsInDependencyOrder.map(\.name) == ["Picture", "Post", "Comment"])
    }

    @Test func onlyWhatHasRulesIsCreateOnly() {
        func model(_ operations: Set<AuthRule.Operation>?) -> ModelSchema {
            ModelSchema(
                "A", pluralName: "As", fields: [],
                authRules: operations.map { [AuthRule(allow: .private, operations: $0)] } ?? [])
        }
        #expect(model([.create, .get]).isCreateOnly)
        #expect(!model([.create, .update]).isCreateOnly)
        #expect(!model([.delete]).isCreateOnly)
        #expect(!model(nil).isCreateOnly)
    }

    @Test func storageIsJSONForListsEmbeddedTypesAndJSON() {
        #expect(FieldSchema("a", .scalar(.int), isList: true).isStoredAsJSON)
        #expect(FieldSchema("a", .embedded("E")).isStoredAsJSON)
        #expect(FieldSchema("a", .scalar(.awsJSON)).isStoredAsJSON)
        #expect(!FieldSchema("a", .enumeration("E")).isStoredAsJSON)
        #expect(!FieldSchema("a", .embedded("E")).isFilterable)
        #expect(FieldSchema("a", .enumeration("E"), isList: true).isFilterable)
    }
}
