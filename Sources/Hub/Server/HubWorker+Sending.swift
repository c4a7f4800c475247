import Basics
import Transport

extension HubWorker {
    /// Who waits for an answer, and since when.
    struct Asking {
        enum Place {
            case http(HTTPResponder)
            case socket(RealtimeOperation.Name)
        }

        let place: Place
        let mark: RequestMark?

        init(_ place: Place, _ request: HubRequest) {
            self.place = place
            mark = request.mark
        }
    }

    /// Answers that leave together.
    struct Answers {
        var output = ServerOutput()
        fileprivate(set) var told: [RequestMeter.Answered] = []
    }

    /// Hands answers over, and notes how long they took.
    func deliver(_ answers: Answers) {
        answers.output.deliver()
        meter.answered(answers.told)
    }

    func finish(_ finished: [(ticket: UInt64, answer: HubAnswer)]) {
        var answers = Answers()
        for (ticket, answer) in finished {
            if let asking = waiting.removeValue(forKey: ticket) { tell(asking, answer, .mutation, &answers) }
        }
        deliver(answers)
    }

    func tell(_ asking: Asking, _ answer: HubAnswer, _ work: WorkKind?, _ answers: inout Answers) {
        switch asking.place {
        case .http(let responder): answers.output.respond(HTTPResponse(answer, at: time.now()), to: responder)
        case .socket(let operation):
            add(registry?.answered(operation, answer) ?? [], to: &answers.output)
        }
        answers.told.append(RequestMeter.Answered(mark: asking.mark, work: work, status: answer.status))
    }

    /// Feeds the subscriptions piece by piece: the loop sends one piece while the next is made, and a large commit is
    /// never in memory for every subscriber at once.
    func publish(_ events: [CommittedChange]) {
        var rest = events[...]
        while !rest.isEmpty {
            registry?.publish(Array(rest.prefix(Self.publishedAtOnce)), pieceBytes: Self.pieceBytes, perform)
            rest = rest.dropFirst(Self.publishedAtOnce)
        }
    }

    fileprivate static let publishedAtOnce = 64
    fileprivate static let pieceBytes = 1 << 20

    func perform(_ actions: [RealtimeAction]) {
        var output = ServerOutput()
        add(actions, to: &output)
        output.deliver()
    }

    func add(_ actions: [RealtimeAction], to output: inout ServerOutput) {
        for action in actions {
            switch action {
            case .send(let targets, let bytes):
                meter.timings.withLock { $0.bytesOut += UInt64(bytes.count * targets.count) }
                output.send(WebSocketFrame(text: bytes), to: targets.compactMap { sockets[$0] })
            case .close(let target, let code, let reason):
                if code != 1000 { meter.timings.withLock { $0.droppedSubscribers += 1 } }
                if let socket = sockets[target] { output.close(socket, code: code, reason: reason) }
            }
        }
    }
}
