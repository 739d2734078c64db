//! The table of the results.

use std::time::Duration;

/// The results: a row for each measure, and a column for each broker.
pub(crate) struct Table {
    brokers: Vec<&'static str>,
    rows: Vec<Row>,
}

struct Row {
    measure: String,
    aim: String,
    results: Vec<(&'static str, String)>,
}

impl Table {
    pub(crate) fn new(brokers: Vec<&'static str>) -> Self {
        Self {
            brokers,
            rows: Vec::new(),
        }
    }

    /// Adds a result of a broker, and prints it.
    pub(crate) fn add(&mut self, measure: &str, broker: &'static str, result: String, aim: &str) {
        println!("{broker}: {measure}: {result}");
        let known = self.rows.iter().position(|row| row.measure == measure);
        let place = known.unwrap_or_else(|| {
            self.rows.push(Row {
                measure: measure.to_owned(),
                aim: aim.to_owned(),
                results: Vec::new(),
            });
            self.rows.len() - 1
        });
        self.rows[place].results.push((broker, result));
    }

    /// Prints the table in Markdown.
    pub(crate) fn print(&self) {
        println!("\n| measure | {} | aim |", self.brokers.join(" | "));
        println!("|---|{}---|", "---|".repeat(self.brokers.len()));
        for row in &self.rows {
            print!("| {} |", row.measure);
            for broker in &self.brokers {
                let result = row.results.iter().find(|(of, _)| of == broker);
                print!(" {} |", result.map_or("", |(_, result)| result));
            }
            println!(" {} |", row.aim);
        }
        println!();
    }
}

/// The median and the 99th percentile of some times.
pub(crate) fn percentiles(mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |part: f64| {
        let place = (times.len() as f64 * part) as usize;
        times[place.min(times.len() - 1)].as_secs_f64() * 1000.0
    };
    format!("{:.1} / {:.1} ms", at(0.5), at(0.99))
}
