import Basics
import CountingApp
import DataStore
import Demo
import Models
import Screens
import System
import Testing
import WarehouseModels

@Suite(.timeLimit(.minutes(5)))
struct NewcomerTests {
    @Test func `walk 10: a newcomer counts the first bin with the trigger and what the shelf says`() async throws {
        let directory = try TempDirectory("newcomer-test")
        let floor = try await DemoFloor.start(directory: directory.path, log: .none)
        let ann = await FloorTerminal.counter(on: floor.ann)
        await ann.shell.wait { $0.personID != nil }
        var counted = false
        for await shelf in floor.shelves() {
            if !counted, shelf.text.contains("B-01-01"), let label = shelf.label {
                #expect(shelf.text.contains("3 cases of 12 + 7 loose, one label unreadable"))
                await ann.scan(label)
                // The first label is the bin's; the item's opens a line.
                if label.hasPrefix("B-") { continue }
                await ann.enter("3*12+7")
                counted = true
            } else if counted, let label = shelf.label, label == "B-01-02" {
                await ann.scan(label)
                break
            }
        }
        #expect(try await ann.ownEntries().last?.kind == .CLOSE)
        let tally = try await floor.ann.store.query(CountEntry.self, where: CountEntry.baseQuantity == 43)
        #expect(tally.contains { $0.deviceID == "T01" })
        await ann.shell.stop()
        await floor.stop()
    }
}
