import Basics
import DataStore
import Screens
import Terminal

package struct CounterApp: AppMachine, Sendable {
    package typealias Job = CounterJob
    package var language: String { "en" }
    package init(deviceCode: String) {}
    package mutating func handle(_ event: AppEvent<CounterAnswer>, at moment: Moment) -> [AppEffect<CounterJob>] { [] }
    package func view(at moment: Moment) -> AppView { AppView(screen: "signin", state: ScreenState()) }
}
package enum CounterAnswer: Sendable { case none }
package struct CounterJob: StoreJob {
    package var writes: Bool { false }
    package var identity: String? { nil }
    package func perform(in transaction: StoreTransaction, _ environment: JobEnvironment) throws -> CounterAnswer {
        .none
    }
}
