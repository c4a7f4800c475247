import AppSync
import Models
import Testing

@Suite("Operation names")
struct OperationNamesTests {
    @Test("follow AppSync's generator")
    func names() {
        let task = ModelSchema("task", pluralName: "tasks", fields: [])
        #expect(task.operationName(.get) == "getTask")
        #expect(task.operationName(.list) == "listTasks")
        #expect(task.operationName(.sync) == "syncTasks")
        #expect(task.operationName(.create) == "createTask")
        #expect(task.operationName(.update) == "updateTask")
        #expect(task.operationName(.delete) == "deleteTask")
        #expect(task.operationName(.onCreate) == "onCreateTask")
        #expect(task.operationName(.onUpdate) == "onUpdateTask")
        #expect(task.operationName(.onDelete) == "onDeleteTask")
        let box = ModelSchema("Box", pluralName: "Boxes", fields: [])
        #expect(box.operationName(.list) == "listBoxes")
        #expect(box.inputTypeName(.update) == "UpdateBoxInput")
        #expect(box.inputTypeName(.get) == nil)
        #expect(box.subscriptionFilterTypeName == "ModelSubscriptionBoxFilterInput")
    }

    @Test("of subscriptions are cut at fifty characters, of mutations never")
    func longNames() {
        let name = String(repeating: "A", count: 43)
        let model = ModelSchema(name, pluralName: name + "s", fields: [])
        var hashed: String?
        let cut = model.operationName(.onCreate) { full in
            hashed = full
            return "0123456789abcdef"
        }
        #expect(hashed == "onCreate" + name)
        #expect(cut == ("onCreate" + name).prefix(45) + "01234")
        #expect(cut.count == 50)
        #expect(model.operationName(.create) { _ in "ffffffff" } == "create" + name)
        let fits = ModelSchema(String(repeating: "B", count: 42), pluralName: "Bs", fields: [])
        #expect(fits.operationName(.onDelete) { _ in "ffffffff" }.count == 50)
        #expect(!fits.operationName(.onDelete) { _ in "ffffffff" }.hasSuffix("fffff"))
    }
}
