#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "scratch")]
use kervan_simulation::*;
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let start = std::time::Instant::now();
    match args[0].as_str() {
        "calm" => for s in scenarios() {
            let t = std::time::Instant::now();
            let o = calm(&s).run(false).unwrap();
            println!("{:18} effects {:4} road {:?} steps {:5} ends {:?} places {} {:?} {:?}", s.name, o.effects, o.road, o.steps, o.ends, o.place_calls, o.violations, t.elapsed());
        },
        "trace" => {
            let mut faults = vec![]; let mut d = None;
            for a in &args[2..] {
                if let Some(x) = a.strip_prefix("d") { d = Some(x.parse().unwrap()); continue; }
                let (at, f) = a.split_once(':').unwrap();
                faults.push((at.parse().unwrap(), *Fault::ALL.iter().find(|x| serde_json::to_value(x).unwrap() == f).unwrap()));
            }
            let sched = if args[1] == "seed" { Schedule::Seed(d.unwrap()) } else { Schedule::Faults { scenario: named(&args[1]).unwrap().name, faults, disturb_at: d } };
            let o = sched.run(true).unwrap();
            for l in &o.trace { println!("{l}"); }
            println!("{:?} {:?}", o.violations, o.ends);
        }
        what => {
            let effort = Effort { jobs: 2, most_failures: 12 };
            let list: Vec<Schedule> = match what {
                "one" => scenarios().iter().filter(|s| args.len() < 2 || args[1] == s.name).flat_map(depth_one).collect(),
                "two" => depth_two(&named(&args[1]).unwrap()),
                _ => seeds(args.get(2).map_or(0, |x| x.parse().unwrap()), args[1].parse().unwrap()),
            };
            println!("{} schedules listed {:?}", list.len(), start.elapsed());
            let s = run_all(&list, effort, &|_| {});
            println!("{} schedules, {} effects, {} steps, {:?}", s.schedules, s.effects, s.steps, start.elapsed());
            for f in &s.failures { println!("{} -> {}", f.schedule, f.outcome.violations.iter().map(|v| v.to_string()).collect::<Vec<_>>().join("; ")); }
        }
    }
}
