import Models
import Testing
import WarehouseModels

@Suite("The warehouse's schema keeps the floor's rules")
struct WarehouseSchemaTests {
    /// Whether a static group, or any owner rule, allows an operation.
    private func groups(_ model: String, _ operation: AuthRule.Operation) throws -> Set<String> {
        let rules = try #require(warehouse.model(model)).authRules
        return Set(rules.filter { $0.operations.contains(operation) }.flatMap(\.groups))
    }

    @Test func itHasEveryModelOfTheFloor() {
        #expect(
            warehouse.models.map(\.name) == [
                "Zone", "Bin", "Item", "ItemCost", "Pack", "Barcode", "BookSnapshot", "BookLine", "StockMovement",
                "CountSession", "SessionPlan", "BinTask", "TaskPlan", "ExpectedLine", "CountPass", "CountEntry",
                "CodeMatch",
                "LineVerdict", "Decision", "Rule", "ExportDocument", "ExportLine", "Person", "Device", "DeskLease",
                "Message",
                "Setting",
                "Draft", "Credential",
            ])
    }

    @Test(arguments: ["CountPass", "CountEntry", "CodeMatch", "Message"])
    func whatWasCountedIsCreateOnlyForEverybody(name: String) throws {
        let model = try #require(warehouse.model(name))
        #expect(model.isCreateOnly)
        #expect(model.authRules.contains { $0.operations.contains(.create) })
    }

    @Test(arguments: [
        "BookSnapshot", "BookLine", "StockMovement", "ItemCost", "SessionPlan", "TaskPlan", "LineVerdict", "Decision",
        "Rule",
        "ExportDocument", "ExportLine", "DeskLease",
    ])
    func noCounterReadsTheBook(name: String) throws {
        let model = try #require(warehouse.model(name))
        for rule in model.authRules {
            #expect(rule.allow == .groups)
            #expect(!rule.groups.isEmpty)
            #expect(!rule.groups.contains("counters"))
        }
        #expect(syncPolicies(for: .terminal)[name] == SyncPolicy.none)
        #expect(syncPolicies(for: .desk)[name] == .both)
    }

    @Test func theDeskAloneWritesADecisionsResultAndNothingElse() throws {
        #expect(try groups("Decision", .update).isEmpty)
        #expect(try groups("Decision", .create) == ["supervisors"])
        #expect(try groups("Decision", .delete).isEmpty)
        let model = try #require(warehouse.model("Decision"))
        #expect(!model.isCreateOnly)
        for field in model.fields {
            let writers = field.authRules.filter { !$0.operations.isDisjoint(with: [.create, .update]) }
            let isResult = ["result", "resultText", "resultAt"].contains(field.name)
            #expect(writers.flatMap(\.groups) == (isResult ? ["desk"] : []), "\(field.name)")
        }
    }

    @Test func aCounterWritesOnlyInHisOwnName() throws {
        for (name, field) in [("CountPass", "counterID"), ("CountEntry", "authorID"), ("Message", "fromID")] {
            let rules = try #require(warehouse.model(name)).authRules
            #expect(rules.contains { $0.allow == .owner && $0.ownerField == field && $0.operations.contains(.create) })
            #expect(try !groups(name, .create).contains("counters"))
        }
        let device = try #require(warehouse.model("Device")).authRules[0]
        #expect(device.ownerField == "code")
        #expect(device.identityClaim == "device")
    }

    @Test func masterRecordsAreNeverDeleted() throws {
        for name in ["Zone", "Bin", "Item", "Pack", "Barcode", "ItemCost"] {
            #expect(try groups(name, .delete).isEmpty)
            #expect(try groups(name, .create) == ["desk"])
        }
    }

    @Test func whatNeverLeavesATerminalHasNoRights() throws {
        for name in ["Draft", "Credential"] {
            let model = try #require(warehouse.model(name))
            #expect(model.syncPolicy == SyncPolicy.none)
            #expect(model.authRules.isEmpty)
            for kind in DeviceKind.allCases { #expect(syncPolicies(for: kind)[name] == nil) }
        }
    }

    @Test func aTerminalSendsItsCountsAndReceivesTheRest() throws {
        let policies = syncPolicies(for: .terminal)
        let effective = Dictionary(
            uniqueKeysWithValues: warehouse.models.map { ($0.name, policies[$0.name] ?? $0.syncPolicy) })
        #expect(Set(effective.filter { $0.value.sends }.keys) == ["CountPass", "CountEntry", "Message", "Device"])
        #expect(effective["Bin"] == .downstream)
        #expect(effective["Device"] == .upstream)
    }

    @Test func noFieldIsCalledOwner() {
        // `@auth` would take it for the record's owner.
        for model in warehouse.models { #expect(model.field("owner") == nil) }
    }

    @Test func everyQuantityIsADecimal() {
        for model in warehouse.models {
            for field in model.fields { #expect(field.type != .scalar(.float), "\(model.name).\(field.name)") }
        }
        #expect(warehouse.model("LineVerdict")?.field("varianceValue")?.type == .scalar(.decimal(places: 4)))
    }

    @Test func everyRelationHasItsIndex() {
        for model in warehouse.models {
            for relation in model.relations {
                #expect(
                    model.indexes.contains { $0.fields.starts(with: relation.fields) }, "\(model.name).\(relation.name)"
                )
            }
        }
    }

    @Test("D10: parents come before children")
    func parentsComeBeforeChildren() throws {
        let names = warehouse.modelsInDependencyOrder.map(\.name)
        #expect(Set(names) == Set(warehouse.models.map(\.name)))
        for model in warehouse.models {
            for relation in model.relations where relation.kind == .belongsTo {
                #expect(
                    try #require(names.firstIndex(of: relation.target)) < #require(names.firstIndex(of: model.name)))
            }
        }
    }
}
