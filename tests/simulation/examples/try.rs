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
        "guards" => {
            let list: Vec<Schedule> = scenarios().iter().flat_map(|s| { let mut v = vec![calm(s)]; v.extend(depth_one(s)); v }).collect();
            for g in kervan::guards::Guard::ALL {
                if args.len() > 1 && format!("{g:?}") != args[1] { continue; }
                let t = std::time::Instant::now();
                let e = Effort { jobs: 2, most_failures: 1, without: Some(g) };
                let n: u64 = args.get(2).map_or(1500, |x| x.parse().unwrap());
                let s = run_all(&seeds(0, n), e, &|_| {});
                if let Some(f) = s.failures.first() { println!("{g:?}: seeds {} -> {} {:?}", s.schedules, f.outcome.violations[0], t.elapsed()); continue; }
                let s = run_all(&list, e, &|_| {});
                match s.failures.first() { Some(f) => println!("{g:?}: depth1 {} -> {} {} {:?}", s.schedules, f.schedule, f.outcome.violations[0], t.elapsed()), None => println!("{g:?}: NOT NOTICED in {} {:?}", s.schedules, t.elapsed()) }
            }
        }
        what => {
            let effort = Effort { jobs: 2, most_failures: 12, without: None };
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
