import Basics
import Transport

extension HubWorker {
    /// Who waits for an answer.
    enum Asking {
        case http(HTTPResponder)
        case socket(UInt64, id: String)
    }

    func finish(_ finished: [(ticket: UInt64, answer: HubAnswer)]) {
        var output = ServerOutput()
        for (ticket, answer) in finished {
            if let asking = waiting.removeValue(forKey: ticket) { tell(asking, answer, time.now(), &output) }
        }
        output.deliver()
    }

    func tell(_ asking: Asking, _ answer: HubAnswer, _ now: DateTime, _ output: inout ServerOutput) {
        switch asking {
        case .http(let responder): output.respond(HTTPResponse(answer, at: now), to: responder)
        case .socket(let connection, let id): add(registry?.answered(connection, id, answer) ?? [], to: &output)
        }
    }

    /// Feeds the subscriptions piece by piece: the loop sends one piece while the next is made, and a large commit is
    /// never in memory for every subscriber at once.
    func publish(_ events: [CommittedChange]) {
        var rest = events[...]
        while !rest.isEmpty {
            perform(registry?.publish(Array(rest.prefix(Self.publishedAtOnce))) ?? [])
            rest = rest.dropFirst(Self.publishedAtOnce)
        }
    }

    fileprivate static let publishedAtOnce = 64

    func perform(_ actions: [RealtimeAction]) {
        var output = ServerOutput()
        add(actions, to: &output)
        output.deliver()
    }

    func add(_ actions: [RealtimeAction], to output: inout ServerOutput) {
        for action in actions {
            switch action {
            case .send(let targets, let bytes):
                timings.withLock { $0.bytesOut += UInt64(bytes.count * targets.count) }
                output.send(WebSocketFrame(text: bytes), to: targets.compactMap { sockets[$0] })
            case .close(let target, let code, let reason):
                if code != 1000 { timings.withLock { $0.droppedSubscribers += 1 } }
                if let socket = sockets[target] { output.close(socket, code: code, reason: reason) }
            }
        }
    }
}
