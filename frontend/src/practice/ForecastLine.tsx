import { useEffect, useState } from 'react';
import type { JSX } from 'react';

import type { Forecast } from '../api';
import { practice } from '../app';
import { acquaintance, chance, clock, percent, plural, timeRange } from '../lib/format';
import classes from './Practice.module.css';

const MODELS: Record<Forecast['model'], string> = {
  attention: 'the model that looks back on your last answers',
  sequence: 'the model that reads your whole history',
  lnirt: 'the model of ability and speed',
  prior: 'what is typical for such tasks',
  constant: 'a plain guess, as nobody has answered anything yet',
};

/** Active seconds on this task; still while it is not being worked on. */
function Timer({ running }: { running: boolean }): JSX.Element {
  const [seconds, setSeconds] = useState(() => practice.seconds());
  useEffect(() => {
    const tick = (): void => setSeconds(practice.seconds());
    const first = setTimeout(tick);
    const timer = running ? setInterval(tick, 250) : undefined;
    return () => {
      clearTimeout(first);
      clearInterval(timer);
    };
  }, [running]);
  return (
    <span className={classes['timer']} data-testid="timer" role="timer" aria-label="Active time on this task">
      {clock(seconds)}
    </span>
  );
}

/** What we expect, said once and quietly, and how long it has taken so far. */
export function ForecastLine(props: {
  forecast: Forecast;
  showForecast: boolean;
  showTimer: boolean;
  running: boolean;
}): JSX.Element | null {
  const { forecast, showForecast, showTimer, running } = props;
  const [why, setWhy] = useState(false);
  if (!showForecast && !showTimer) return null;
  return (
    <>
      <div className={classes['line']}>
        {showForecast ? (
          <span>
            <span
              data-testid="forecast-line"
              data-p={forecast.p_correct}
              data-model={forecast.model}
              data-version={forecast.model_version ?? ''}
              data-answers={forecast.answers}
            >
              Forecast: {chance(forecast.p_correct)} · usually {timeRange(forecast.time_low_s, forecast.time_high_s)} ·{' '}
              {acquaintance(forecast)}
            </span>
            <button type="button" className={classes['why']} aria-expanded={why} onClick={() => setWhy(!why)}>
              why?
            </button>
          </span>
        ) : (
          <span />
        )}
        {showTimer && <Timer running={running} />}
      </div>
      {showForecast && why && (
        <p className={classes['because']}>
          {percent(forecast.p_correct)} to be right; four in five times take{' '}
          {timeRange(forecast.time_low_s, forecast.time_high_s)}. {forecast.reason} It comes from {MODELS[forecast.model]}
          {forecast.model_version !== null && ` (v${forecast.model_version}`}
          {forecast.model_version !== null && `, fitted on ${plural(forecast.samples, 'answer')})`}. A forecast is not a
          judgement; you can hide it in the settings.
        </p>
      )}
    </>
  );
}
