import Screens
import Terminal

/// What becomes of a scan on each page; none is lost.
extension CounterApp {
    mutating func scanned(_ scan: Scan) {
        let code = CodeText(scan)
        switch page {
        case .signin: ask(.signIn(code))
        case .tasks:
            typed = ""
            ask(.submit(code))
        case .bin where confirming != nil:
            // Only a person confirms a quantity; what is scanned meanwhile waits for that.
            held.append(.scan(scan, retracting: 0))
            effects.append(.sound(.stop))
        case .bin:
            if !typed.isEmpty, line != nil {
                // A quantity that was typed is stored before the next code is looked at.
                queue.insert(contentsOf: [.key(.enter), .scan(scan, retracting: 0)], at: 0)
            } else if let line, line.item?.tracking != .SERIAL, line.code.text == code.text, !line.wantsLot {
                ask(.piece)
            } else {
                typed = ""
                ask(.submit(code))
            }
        case .digits:
            if dialog?.purpose == .emptyDigits {
                ask(.empty(digits: nil, scan: code))
            } else {
                ask(.submit(code))
            }
        case .close, .question:
            guard page == .close || dialog?.takesBins == true else {
                return hold(.scan(scan, retracting: 0), scan.text)
            }
            lookedUp = .scan(scan, retracting: 0)
            ask(.submitWhileAsked(code))
        case .find, .matches:
            leaveDialog()
            ask(.submit(code))
        case .crew:
            if case .join(let person)? = dialog?.purpose {
                ask(.join(code, person: person))
            } else {
                ask(.help(code))
            }
        case .help, .switchoff, .reason, .pack, .tray, .message, .note:
            hold(.scan(scan, retracting: 0), scan.text)
        }
    }

    /// Keeps a scan until what is in front is answered. Over a question it must be acknowledged: whoever goes on
    /// scanning has not seen that something is asked, and would answer by the next quantity.
    mutating func hold(_ scan: Input, _ text: String) {
        held.append(scan)
        say("scan.held", ["code": text], answersAtOnce ? .stop : .attention)
        isBlocked = answersAtOnce
    }

    /// What waited for an answer is taken now.
    mutating func takeHeld() {
        queue.insert(contentsOf: held, at: 0)
        held = []
    }
}
