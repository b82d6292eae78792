import { api, ApiError } from '../api';
import type { Receipt, Task } from '../api';
import type { Entry } from './outbox';

/** What the receipt of a task completed earlier must have said, as far as the task still knows. */
function receiptOf(id: string, task: Task): Receipt {
  const { is_correct: isCorrect } = task;
  return {
    id,
    task_id: task.id,
    verdict: isCorrect === true ? 'correct' : 'incorrect',
    is_correct: isCorrect,
    message: '',
    understood: null,
    recorded: true,
    counts: true,
    answer_content: task.answer_content,
    solution_content: task.solution_content,
    response_time_s: task.actual_time_seconds,
    forecast_before: task.forecast,
    forecast_after: null,
    completed_at: task.completed_at,
  };
}

/**
 * Marking has no id of its own on the wire, so a retry of a mark that did arrive is answered with
 * a 409. It arrived when the task is completed with the same verdict; anything else is a real
 * conflict.
 */
async function mark(entry: Entry, isCorrect: boolean): Promise<Receipt> {
  try {
    return await api.selfMark(entry.taskId, { is_correct: isCorrect, actual_time_seconds: entry.seconds });
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 409) throw error;
    const task = await api.task(entry.taskId);
    if (task.status !== 'completed' || task.is_correct !== isCorrect) throw error;
    return receiptOf(entry.id, task);
  }
}

/** Sends one entry. Each step may be repeated without harm. */
export async function deliver(entry: Entry): Promise<Receipt> {
  switch (entry.act.kind) {
    case 'attempt':
      return api.attempt(entry.taskId, {
        id: entry.id,
        answer: entry.act.answer,
        response_time_s: entry.seconds,
      });
    case 'mark':
      return mark(entry, entry.act.isCorrect);
    case 'dont-know':
      // Revealed first: "not known" then counts as such, not as a wrong guess.
      try {
        await api.reveal(entry.taskId);
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 409) throw error;
      }
      return mark(entry, false);
  }
}
