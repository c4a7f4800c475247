import Screens
import Terminal

/// What a person is told without having asked. None of it is lost to what happens at the same time, and each stands long
/// enough to be read.
extension CounterApp {
    /// How long news stands at least, whatever is typed (milliseconds).
    private static let leastTime: Int64 = 1_000
    /// How long what was said stands before waiting news takes its place (milliseconds).
    private static let readingTime: Int64 = 3_000

    /// Tells news now, or as soon as nothing is asked that it would hide; urgent news goes before other news.
    mutating func tell(_ news: ScreenMessage, isUrgent: Bool = false) {
        guard !untold.contains(news) else { return }
        if isUrgent {
            untold.insert(news, at: 0)
            if canTell { show(untold.removeFirst()) }
        } else if canTell, untold.isEmpty, message == nil || !said.isNews || hasStood(CounterApp.readingTime) {
            show(news)
        } else {
            untold.append(news)
        }
    }

    mutating func tell(_ id: String, _ arguments: [String: String] = [:]) { tell(ScreenMessage(id, arguments)) }

    /// Tells the next of what waits once the message line is free, or what stands there was read.
    mutating func tellNext() {
        guard canTell, !untold.isEmpty, message == nil || hasStood(CounterApp.readingTime) else { return }
        show(untold.removeFirst())
    }

    /// Notes when the message line changed. News that was hardly in sight waits to be told again.
    mutating func replaced(_ old: ScreenMessage?) {
        if let old, said.isNews, old != message, !hasStood(CounterApp.leastTime) { untold.insert(old, at: 0) }
        said = (now.uptime, false)
    }

    /// Whether nothing is asked or refused, and no act is under way whose outcome would hide it.
    private var canTell: Bool { personID != nil && !isBlocked && confirming == nil && waiting == nil }

    private func hasStood(_ time: Int64) -> Bool { now.uptime - said.at >= time }

    private mutating func show(_ news: ScreenMessage) {
        message = news
        said.isNews = true
        effects.append(.sound(.attention))
    }
}
