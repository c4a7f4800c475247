import DataStore
import Models

extension Workload {
    private static func durable(_ name: String, _ body: @escaping @Sendable (Workload) throws -> Void) -> Step {
        Step(name: name, isDurable: true, body: body)
    }

    private static func page(_ name: String, _ body: @escaping @Sendable (Workload) throws -> Void) -> Step {
        Step(name: name, isDurable: false, body: body)
    }

    /// The steps in order.
    package static let steps: [Step] =
        [durable("open") { try $0.open(WorkloadSchema.first) }]
        + (1...3).map { number in
            durable("save \(number)") {
                try $0.save("Shelf", ["id": .text("s\(number)"), "label": .text("L\(number)"), "count": .integer(1)])
            }
        } + [
            durable("a transaction that goes as one") { workload in
                let shelf = try workload.record("Shelf", ["id": .text("s4"), "label": .text("L4")])
                let boxes = try (1...2).map {
                    try workload.record(
                        "Box", ["id": .text("b\($0)"), "shelfID": .text("s4"), "text": .text("t\($0)")])
                }
                try workload.core().write(as: "bob") { tx in
                    try tx.sentAsOne { for record in [shelf] + boxes { try tx.save(record) } }
                }
            },
            page("a page and its mark") { workload in
                let mark = SyncMark(model: "Zone", nextToken: "2", startedAt: 10)
                try workload.core().applyPage(
                    model: "Zone",
                    items: try (1...3).map {
                        try workload.remote("Zone", ["id": .text("z\($0)"), "code": .text("Z")], 1)
                    }, mark: mark)
            },
            page("the last page") { workload in
                // So much that the log is moved into the database.
                let code = String(repeating: "code", count: 2000)
                try workload.core().applyPage(
                    model: "Zone",
                    items: try (10..<550).map {
                        try workload.remote("Zone", ["id": .text("z\($0)"), "code": .text("\($0)" + code)], 1)
                    }, mark: SyncMark(model: "Zone", lastSync: 10, lastFullSync: 10))
            },
            durable("take") { $0.taken = try $0.core().nextMutations(limit: 3) },
            durable("settle") { workload in
                let core = try workload.core()
                try core.settle(
                    try (workload.taken?.entries ?? []).map { entry in
                        if entry.id == "s3" {
                            return MutationResult(order: entry.order, outcome: .refused(code: "Invalid", message: "no"))
                        }
                        let record = try core.read { try $0.get(model: entry.model, id: entry.id) }
                        guard let record else { throw NotOpen() }
                        return MutationResult(
                            order: entry.order,
                            outcome: .applied(RemoteRecord(record: record, version: 1, lastChangedAt: 1000)))
                    })
            },
            durable("change") {
                try $0.save("Shelf", ["id": .text("s1"), "label": .text("mine"), "count": .integer(1)])
            },
            durable("add") { workload in
                try workload.core().write(as: "ann") {
                    try $0.operate(model: "Shelf", id: "s2", ["count": .increment(5)])
                }
            },
            page("a change of somebody else's beside ours") { workload in
                try workload.core().applyRemote([
                    try workload.remote(
                        "Shelf", ["id": .text("s2"), "label": .text("theirs"), "count": .integer(10)], 2)
                ])
            },
            durable("delete") { workload in
                try workload.core().write(as: "ann") { _ = try $0.delete(model: "Shelf", id: "s1") }
            },
            page("let go") { workload in
                try workload.core().evict(model: "Zone", where: .field("id", .equal(.text("z1"))))
            },
            page("keep aside") { workload in
                try workload.core().applyRemote(
                    [], unreadable: [UnreadableRecord(model: "Box", id: "odd", version: 3, json: "{}", reason: "odd")])
            },
            durable("close") { $0.close() },
            durable("migrate") { try $0.open(WorkloadSchema.second, WorkloadSchema.versions) },
            durable("save after it") {
                try $0.save("Shelf", ["id": .text("s5"), "label": .text("L5"), "place": .text("rack")])
            },
            durable("export") { _ = try $0.core().exportOutbox(to: $0.directory + "/unsent.jsonl") },
            durable("clear") { try $0.core().clear(discardingUnsent: true) },
            durable("save after that") {
                try $0.save("Shelf", ["id": .text("s6"), "label": .text("L6"), "place": .text("rack")])
            },
            durable("close again") { $0.close() },
        ]
}
