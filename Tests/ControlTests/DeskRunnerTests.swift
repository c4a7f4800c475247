import Basics
import DataStore
import Models
import Testing
import WarehouseModels

@testable import InventoryControl

@Suite struct DeskRunnerTests {
    @Test(.timeLimit(.minutes(5))) func itHearsADecisionAndAnswersIt() async throws {
        let time = ManualTimeSource(morning)
        let store = try await DataStore(
            schema: warehouse, at: .memory,
            options: StoreOptions(
                time: time, policies: syncPolicies(for: .desk), isLocalOnly: true, checksParents: false))
        let changes = store.observe(Decision.self)
        let runner = DeskRunner(store: store, deviceCode: "DESK", connectors: [], time: time, isAlone: true)
        await runner.start()
        // Nothing is set up here, so that a release cannot be carried out; the answer is what counts.
        try await store.save(
            Decision(
                id: "S1-1", kind: .release, targetIDs: [], seenRevisions: [], text: "{}", byID: "sue", deviceID: "S1",
                sequence: 1, at: morning, previousHash: "", hash: "forged"))
        var answer: Decision?
        for await change in changes {
            guard let decision = change.item, decision.result != nil else { continue }
            answer = decision
            break
        }
        #expect(answer?.result == .refused)
        await runner.stop()
        #expect(try await store.get(Device.self, id: "DESK")?.checkedOutAt == morning)
        await store.close()
    }
}
